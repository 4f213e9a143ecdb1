set terminal svg size 960,560 noenhanced font 'Helvetica,14' background rgb 'white'
$m0 << EOD
2048 0.0313563
4096 0.0419638
8192 0.0550489
16384 0.0796354
32768 0.128808
65536 0.227154
131072 0.423845
EOD
$m1 << EOD
2048 0.0319062
4096 0.0438396
8192 0.0677065
16384 0.11544
32768 0.210908
65536 0.401842
131072 0.783712
EOD
$m2 << EOD
2048 0.0289629
4096 0.0408963
8192 0.0647632
16384 0.112497
32768 0.207964
65536 0.398899
131072 0.780768
EOD
$m3 << EOD
2048 0.0289805
4096 0.0399323
8192 0.0618359
16384 0.105643
32768 0.193257
65536 0.368486
131072 0.718944
EOD
$m4 << EOD
2048 0.0381041
4096 0.0530172
8192 0.0828433
16384 0.142496
32768 0.2618
65536 0.50041
131072 0.977628
EOD
$m5 << EOD
2048 0.0252941
4096 0.0392751
8192 0.0672371
16384 0.0896067
32768 0.134346
65536 0.223824
131072 0.402781
EOD
$m6 << EOD
2048 0.0806857
4096 0.085346
8192 0.0946667
16384 0.113308
32768 0.150591
65536 0.225156
131072 0.374287
EOD
$m7 << EOD
2048 0.0461786
4096 0.0587615
8192 0.0839273
16384 0.134259
32768 0.234922
65536 0.436249
131072 0.838902
EOD
$m8 << EOD
2048 0.0223919
4096 0.0335768
8192 0.0559464
16384 0.100686
32768 0.190164
65536 0.369121
131072 0.727035
EOD
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set title 'Ideal AFD cost of each model on its cheapest pair of chips'
set xlabel 'context, tokens'
set ylabel 'USD per 1M tokens'
set logscale x 2
set logscale y
set format y '%g'
set grid xtics
set xtics ('2K' 2048, '4K' 4096, '8K' 8192, '16K' 16384, '32K' 32768, '64K' 65536, '128K' 131072)
set xrange [1861.82:144179]
set yrange [0.0172:1.27]
set key outside right
plot $m0 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#0072b2' title 'step-3', $m1 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#e69f00' title 'deepseek-v3', $m2 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#009e73' title 'kimi-k2', $m3 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#cc3311' title 'qwen3-moe', $m4 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#882255' title 'qwen3-32b', $m5 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#56b4e9' title 'llama-4-maverick', $m6 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#999933' title 'minimax-m1', $m7 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#000000' title 'ernie-4.5', $m8 using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '#ee7788' title 'pangu-pro-moe'
