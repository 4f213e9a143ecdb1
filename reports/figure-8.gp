set terminal svg size 1080,560 noenhanced font 'Helvetica,14' background rgb 'white'
$s0 << EOD
4096 0.0917045
8192 0.139144
12288 0.183227
16384 0.220553
20480 0.255515
24576 0.292937
EOD
$s1 << EOD
4096 0.0931018
8192 0.129696
12288 0.170275
16384 0.203977
20480 0.255777
24576 0.288946
EOD
$s2 << EOD
4096 0.132992
8192 0.156294
12288 0.17772
16384 0.200517
20480 0.222449
24576 0.248231
EOD
$s3 << EOD
4096 0.106351
8192 0.132364
12288 0.156942
16384 0.186273
20480 0.222718
24576 0.259262
EOD
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set xlabel 'context'
set ylabel 'USD per 1M tokens, cheapest within the TPOT'
set yrange [0:*]
set key outside right
plot $s0 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#0072b2' title 'h800 co-located', $s1 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#e69f00' title 'h800 attention with h800 FFN', $s2 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#009e73' title 'h20 co-located', $s3 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#cc3311' title 'h20 attention with h800 FFN'
