#!/bin/sh
# Builds a program outside the tree with find_package(afford): `package.sh PREFIX`, where afford is
# installed. What it prints is what the installed program prints.
set -eu
prefix=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S "$here/package" -B "$work" -DCMAKE_PREFIX_PATH="$prefix" > "$work/log" 2>&1 &&
  cmake --build "$work" >> "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
cd "$work"
AFFORD_DATA="$prefix/share/afford" ./outside > library.csv
"$prefix/bin/afford" cost -m step-3 --on h800 -c 8k --format csv > program.csv
cmp library.csv program.csv
