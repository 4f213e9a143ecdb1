set terminal svg size 1080,640 noenhanced font 'Helvetica,14' background rgb 'white'
$m0 << EOD
2.55853e+08 3.27491e+10
1.02341e+09 1.30997e+11
EOD
$m1 << EOD
2.87834e+08 1.47371e+11
1.15134e+09 5.89484e+11
EOD
$m2 << EOD
2.87834e+08 7.36855e+10
1.15134e+09 2.94742e+11
EOD
$m3 << EOD
7.88529e+08 2.52329e+10
3.15412e+09 1.00932e+11
EOD
$m4 << EOD
1.07374e+09 1.71799e+10
4.29497e+09 6.87195e+10
EOD
$m5 << EOD
1.00663e+09 8.05306e+09
2.21459e+09 1.40929e+10
EOD
$m6 << EOD
9.22747e+08 3.41836e+09
1.92938e+09 1.14714e+10
EOD
$m7 << EOD
9.0597e+08 1.44955e+10
3.62388e+09 5.79821e+10
EOD
$m8 << EOD
8.05306e+08 8.05306e+09
3.22123e+09 3.22123e+10
EOD
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set label '8K' at 2.55853e+08,2.48017e+10 center front textcolor rgb '#0072b2'
set label '32K' at 1.0961e+09,1.30997e+11 left front textcolor rgb '#0072b2'
set label '8K' at 2.87834e+08,1.11607e+11 center front textcolor rgb '#e69f00'
set label '32K' at 1.23311e+09,5.89484e+11 left front textcolor rgb '#e69f00'
set label '8K' at 2.68747e+08,7.36855e+10 right front textcolor rgb '#009e73'
set label '32K' at 1.15134e+09,3.8919e+11 center front textcolor rgb '#009e73'
set label '8K' at 7.3624e+08,2.52329e+10 right front textcolor rgb '#cc3311'
set label '32K' at 3.37813e+09,1.00932e+11 left front textcolor rgb '#cc3311'
set label '8K' at 1.07374e+09,2.2685e+10 center front textcolor rgb '#882255'
set label '32K' at 4.60001e+09,6.87195e+10 left front textcolor rgb '#882255'
set label '8K' at 1.00663e+09,6.09877e+09 center front textcolor rgb '#56b4e9'
set label '32K' at 2.37188e+09,1.40929e+10 left front textcolor rgb '#56b4e9'
set label '8K' at 8.61557e+08,3.41836e+09 right front textcolor rgb '#999933'
set label '32K' at 2.06641e+09,8.68757e+09 left front textcolor rgb '#999933'
set label '8K' at 8.45892e+08,1.44955e+10 right front textcolor rgb '#000000'
set label '32K' at 3.62388e+09,4.39111e+10 center front textcolor rgb '#000000'
set label '8K' at 7.51904e+08,8.05306e+09 right front textcolor rgb '#ee7788'
set label '32K' at 3.45e+09,3.22123e+10 left front textcolor rgb '#ee7788'
set xlabel 'KV cache or state bytes moved per token'
set ylabel 'attention FLOPs per token'
set logscale xy
set format '10^{%T}'
set termoption enhanced
set grid xtics
set lmargin at screen 0.1157
set rmargin at screen 0.6759
set tmargin at screen 0.8969
set bmargin at screen 0.1328
set xrange [1.279e+08:1.288e+10]
set yrange [1.139e+09:1.768e+12]
set key outside right
set title 'Attention of a token: above a ridge compute binds, below it memory'
plot 591.045*x with lines dt 2 lw 1.5 lc rgb '#666666' title 'h800 ridge, 591 FLOP/B', 74*x with lines dt 3 lw 1.5 lc rgb '#666666' title 'h20 ridge, 74 FLOP/B', 156*x with lines dt 4 lw 1.5 lc rgb '#666666' title 'a800 ridge, 156 FLOP/B', 175*x with lines dt 5 lw 1.5 lc rgb '#666666' title '910b ridge, 175 FLOP/B', $m0 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#0072b2' title 'step-3', $m1 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#e69f00' title 'deepseek-v3', $m2 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#009e73' title 'kimi-k2', $m3 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#cc3311' title 'qwen3-moe', $m4 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#882255' title 'qwen3-32b', $m5 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#56b4e9' title 'llama-4-maverick', $m6 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#999933' title 'minimax-m1', $m7 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#000000' title 'ernie-4.5', $m8 using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '#ee7788' title 'pangu-pro-moe'
