set terminal svg size 1280,520 noenhanced font 'Helvetica,14' background rgb 'white'
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set xlabel 'activated parameters, billions'
set ylabel 'USD per 1M tokens'
set xrange [0:54.11]
set multiplot layout 1,2
set title '8K tokens of context'
set yrange [0:0.106027]
set label 1 'step-3' at 37.918,0.0550489 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#0072b2' textcolor rgb '#0072b2'
set label 2 'deepseek-v3' at 36.6256,0.0677065 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#e69f00' textcolor rgb '#e69f00'
set label 3 'kimi-k2' at 32.8615,0.0647632 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#009e73' textcolor rgb '#009e73'
set label 4 'qwen3-moe' at 22.1907,0.0618359 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#cc3311' textcolor rgb '#cc3311'
set label 5 'qwen3-32b' at 32.7621,0.0828433 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#882255' textcolor rgb '#882255'
set label 6 'llama-4-maverick' at 17.1847,0.0672371 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#56b4e9' textcolor rgb '#56b4e9'
set label 7 'minimax-m1' at 45.9449,0.0946667 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#999933' textcolor rgb '#999933'
set label 8 'ernie-4.5' at 47.0542,0.0839273 center offset 0,0.8 point pt 7 ps 1.4 lc rgb '#000000' textcolor rgb '#000000'
set label 9 'pangu-pro-moe' at 16.4975,0.0559464 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#ee7788' textcolor rgb '#ee7788'
plot NaN notitle
unset label
set title '32K tokens of context'
set yrange [0:0.293216]
set label 1 'step-3' at 37.918,0.128808 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#0072b2' textcolor rgb '#0072b2'
set label 2 'deepseek-v3' at 36.6256,0.210908 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#e69f00' textcolor rgb '#e69f00'
set label 3 'kimi-k2' at 32.8615,0.207964 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#009e73' textcolor rgb '#009e73'
set label 4 'qwen3-moe' at 22.1907,0.193257 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#cc3311' textcolor rgb '#cc3311'
set label 5 'qwen3-32b' at 32.7621,0.2618 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#882255' textcolor rgb '#882255'
set label 6 'llama-4-maverick' at 17.1847,0.134346 left offset 0.9,0 point pt 7 ps 1.4 lc rgb '#56b4e9' textcolor rgb '#56b4e9'
set label 7 'minimax-m1' at 45.9449,0.150591 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#999933' textcolor rgb '#999933'
set label 8 'ernie-4.5' at 47.0542,0.234922 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#000000' textcolor rgb '#000000'
set label 9 'pangu-pro-moe' at 16.4975,0.190164 right offset -0.9,0 point pt 7 ps 1.4 lc rgb '#ee7788' textcolor rgb '#ee7788'
plot NaN notitle
unset label
unset multiplot
