set terminal svg size 1280,520 noenhanced font 'Helvetica,14' background rgb 'white'
set border 3 lc rgb '#444444'
set tics nomirror out textcolor rgb '#222222'
set grid ytics lc rgb '#dddddd' lw 1
set xlabel 'activated parameters, billions'
set ylabel 'USD per 1M tokens'
set xrange [0:54.11]
set multiplot layout 1,2 margins 0.09766,0.9766,0.1635,0.8731 spacing 0.1211,0.2904
set title 'Ideal AFD cost at 8K tokens of context'
set yrange [0:0.106027]
set label 'step-3' at 38.9221,0.0550489 left front textcolor rgb '#0072b2'
set label '' at 37.918,0.0550489 point pt 7 ps 1.4 lc rgb '#0072b2'
set label 'deepseek-v3' at 37.6297,0.0677065 left front textcolor rgb '#e69f00'
set label '' at 36.6256,0.0677065 point pt 7 ps 1.4 lc rgb '#e69f00'
set label 'kimi-k2' at 31.8573,0.0647632 right front textcolor rgb '#009e73'
set label '' at 32.8615,0.0647632 point pt 7 ps 1.4 lc rgb '#009e73'
set label 'qwen3-moe' at 21.1866,0.0618359 right front textcolor rgb '#cc3311'
set label '' at 22.1907,0.0618359 point pt 7 ps 1.4 lc rgb '#cc3311'
set label 'qwen3-32b' at 33.7663,0.0828433 left front textcolor rgb '#882255'
set label '' at 32.7621,0.0828433 point pt 7 ps 1.4 lc rgb '#882255'
set label 'llama-4-maverick' at 17.1847,0.0725528 center front textcolor rgb '#56b4e9'
set label '' at 17.1847,0.0672371 point pt 7 ps 1.4 lc rgb '#56b4e9'
set label 'minimax-m1' at 44.9408,0.0946667 right front textcolor rgb '#999933'
set label '' at 45.9449,0.0946667 point pt 7 ps 1.4 lc rgb '#999933'
set arrow from 47.0542,0.0839273 to 47.0542,0.0748762 nohead lw 0.7 lc rgb '#000000' back
set label 'ernie-4.5' at 47.0542,0.0748762 center front textcolor rgb '#000000'
set label '' at 47.0542,0.0839273 point pt 7 ps 1.4 lc rgb '#000000'
set label 'pangu-pro-moe' at 17.5017,0.0559464 left front textcolor rgb '#ee7788'
set label '' at 16.4975,0.0559464 point pt 7 ps 1.4 lc rgb '#ee7788'
plot NaN notitle
unset label
unset arrow
set title 'Ideal AFD cost at 32K tokens of context'
set yrange [0:0.293216]
set label 'step-3' at 38.9221,0.128808 left front textcolor rgb '#0072b2'
set label '' at 37.918,0.128808 point pt 7 ps 1.4 lc rgb '#0072b2'
set label 'deepseek-v3' at 37.6297,0.210908 left front textcolor rgb '#e69f00'
set label '' at 36.6256,0.210908 point pt 7 ps 1.4 lc rgb '#e69f00'
set label 'kimi-k2' at 31.8573,0.207964 right front textcolor rgb '#009e73'
set label '' at 32.8615,0.207964 point pt 7 ps 1.4 lc rgb '#009e73'
set label 'qwen3-moe' at 21.1866,0.207958 right front textcolor rgb '#cc3311'
set label '' at 22.1907,0.193257 point pt 7 ps 1.4 lc rgb '#cc3311'
set label 'qwen3-32b' at 33.7663,0.2618 left front textcolor rgb '#882255'
set label '' at 32.7621,0.2618 point pt 7 ps 1.4 lc rgb '#882255'
set label 'llama-4-maverick' at 18.1888,0.134346 left front textcolor rgb '#56b4e9'
set label '' at 17.1847,0.134346 point pt 7 ps 1.4 lc rgb '#56b4e9'
set label 'minimax-m1' at 44.9408,0.150591 right front textcolor rgb '#999933'
set label '' at 45.9449,0.150591 point pt 7 ps 1.4 lc rgb '#999933'
set label 'ernie-4.5' at 46.05,0.234922 right front textcolor rgb '#000000'
set label '' at 47.0542,0.234922 point pt 7 ps 1.4 lc rgb '#000000'
set label 'pangu-pro-moe' at 15.4934,0.190164 right front textcolor rgb '#ee7788'
set label '' at 16.4975,0.190164 point pt 7 ps 1.4 lc rgb '#ee7788'
plot NaN notitle
unset label
unset arrow
unset multiplot
