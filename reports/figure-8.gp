set terminal svg size 1080,560 noenhanced font 'Helvetica,14' background rgb 'white'
$s0 << EOD
4096 0.0919232
8192 0.139362
12288 0.183446
16384 0.220772
20480 0.255733
24576 0.293156
EOD
$s1 << EOD
4096 0.0931417
8192 0.129728
12288 0.170305
16384 0.204005
20480 0.256037
24576 0.289203
EOD
$s2 << EOD
4096 0.133065
8192 0.156367
12288 0.177794
16384 0.200591
20480 0.222522
24576 0.248304
EOD
$s3 << EOD
4096 0.106363
8192 0.132374
12288 0.156952
16384 0.186373
20480 0.222818
24576 0.259322
EOD
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set title 'USD per 1M tokens, cheapest within the TPOT by context'
set xlabel 'context'
set ylabel 'USD per 1M tokens, cheapest within the TPOT'
set yrange [0:*]
set key outside right
plot $s0 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#0072b2' title 'h800 co-located', $s1 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#e69f00' title 'h800 attention with h800 FFN', $s2 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#009e73' title 'h20 co-located', $s3 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#cc3311' title 'h20 attention with h800 FFN'
