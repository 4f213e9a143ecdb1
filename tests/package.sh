#!/bin/sh
# Builds a program outside the tree with find_package(afford): `package.sh PREFIX`, where afford is
# installed. What its typed requests come to is what the installed program prints.
set -eu
prefix=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S "$here/package" -B "$work" -DCMAKE_PREFIX_PATH="$prefix" > "$work/log" 2>&1 &&
  cmake --build "$work" >> "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
cd "$work"
workload=$(find "$prefix/share/doc" -name chat-50.yaml)
alike() {  # VERB WORDS..: as the outside program asks, and as the command line does
  AFFORD_DATA="$prefix/share/afford" ./outside "$1" "$workload" > library.csv
  "$prefix/bin/afford" "$@" --format csv > program.csv 2> notes
  cmp library.csv program.csv
}
alike cost -m step-3 --on h800,h20 -c 8k --price h800=1.6
alike compare -m step-3 --on h800,h20 -c 8k --price h800=1.6
alike simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 3072 -c 4k
alike pareto -m step-3 --on h800 -c 8k --max-gpus 32
alike plan "$workload" --max-gpus 16
