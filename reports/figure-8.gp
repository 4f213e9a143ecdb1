set terminal svg size 1080,560 noenhanced font 'Helvetica,14' background rgb 'white'
$s0 << EOD
4096 0.0896517
8192 0.136377
12288 0.181925
16384 0.218186
20480 0.255465
24576 0.289752
28672 0.326984
32768 0.372429
EOD
$s1 << EOD
4096 0.0955723
8192 0.129695
12288 0.169767
16384 0.209751
20480 0.261603
24576 0.30836
28672 0.356025
32768 0.399201
EOD
$s2 << EOD
4096 0.132951
8192 0.155425
12288 0.177195
16384 0.199835
20480 0.221657
24576 0.245575
28672 0.277522
32768 0.303851
EOD
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set xlabel 'context'
set ylabel 'USD per 1M tokens, cheapest within the TPOT'
set yrange [0:*]
set key outside right
plot $s0 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#0072b2' title 'h800 co-located', $s1 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#e69f00' title 'h800 attention with h800 FFN', $s2 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#009e73' title 'h20 co-located'
