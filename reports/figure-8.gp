set terminal svg size 1080,560 noenhanced font 'Helvetica,14' background rgb 'white'
$s0 << EOD
4096 0.0916675
8192 0.139103
12288 0.18319
16384 0.220513
20480 0.255465
24576 0.292878
EOD
$s1 << EOD
4096 0.0931013
8192 0.129695
12288 0.170274
16384 0.203975
20480 0.255638
24576 0.28879
EOD
$s2 << EOD
4096 0.132951
8192 0.156253
12288 0.177679
16384 0.200476
20480 0.222407
24576 0.24819
EOD
$s3 << EOD
4096 0.106349
8192 0.132362
12288 0.156941
16384 0.186211
20480 0.222645
24576 0.25923
EOD
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set xlabel 'context'
set ylabel 'USD per 1M tokens, cheapest within the TPOT'
set yrange [0:*]
set key outside right
plot $s0 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#0072b2' title 'h800 co-located', $s1 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#e69f00' title 'h800 attention with h800 FFN', $s2 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#009e73' title 'h20 co-located', $s3 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#cc3311' title 'h20 attention with h800 FFN'
