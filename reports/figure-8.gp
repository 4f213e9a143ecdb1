set terminal svg size 1080,560 noenhanced font 'Helvetica,14' background rgb 'white'
$s0 << EOD
4096 0.0896517
8192 0.129695
12288 0.156941
16384 0.184454
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
plot $s0 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#0072b2' title 'step-3'
