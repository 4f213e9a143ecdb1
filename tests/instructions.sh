#!/bin/sh
# Counts the instructions of a few commands under valgrind and compares them with those committed
# (tests/instructions.csv): unlike seconds they are the same on a busy machine, so that a tenth more
# is a regression and not noise. `instructions.sh AFFORD [--keep]`. Exits 77 (skipped) where
# valgrind is missing, or where compiler or C library are not those that the counts were made with.
set -eu
afford=$1
keep=${2:-}
cd "$(dirname "$0")/.."
kept=tests/instructions.csv
command -v valgrind >/dev/null || { echo "instructions: skipped, valgrind is not installed"; exit 77; }
tools="$(c++ -dumpfullversion) $(uname -m) $(ldd --version | sed -n '1s/.* //p')"
made=$(sed -n '1s/^# //p' "$kept" 2>/dev/null || true)
if [ -z "$keep" ] && [ "$tools" != "$made" ]; then
  echo "instructions: skipped, counted with '$made' (compiler, machine, C library), here is '$tools'"
  exit 77
fi
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
small="-m step-3 --on h800,h20 -c 8k --max-gpus 32 --threads 1"

# One core: how often idle threads look for work is chance.
count() {
  name=$1
  shift
  log=$(mktemp)
  taskset -c 0 valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
    "$afford" "$@" >/dev/null 2>"$log" || { cat "$log" >&2; rm -f "$log"; exit 1; }
  echo "$name,$(sed -n 's/.*I *refs: *//p' "$log" | tr -d ,)" >> "$counts"
  rm -f "$log"
}

count version --version
count compare compare -m step-3,deepseek-v3,kimi-k2,qwen3-moe,qwen3-32b --on h800,h20,a800,910b -c 8k,32k
count simulate-afd simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 3072 -c 4k
count simulate-ep simulate -m deepseek-v3 --colocated h800:4x8 --batch 512 -c 4k
count validate validate
# shellcheck disable=SC2086  # lists of words
count pareto pareto $small --format csv
# shellcheck disable=SC2086
count pareto-usd pareto $small --objective usd --format csv
count pareto-all pareto -m step-3 --on h800 -c 8k --max-gpus 24 --threads 1 --all --format csv
count plan plan reports/chat-50.yaml --max-gpus 24

if [ -n "$keep" ]; then
  { echo "# $tools"; echo "command,instructions"; cat "$counts"; } > "$kept"
  exit 0
fi
awk -F, -v most=1.10 '
  /^#/ || $1 == "command" { next }
  FILENAME == ARGV[1] { kept[$1] = $2; next }
  !($1 in kept) { printf "%-14s %14d  new: keep it\n", $1, $2; bad = 1; next }
  { ratio = $2 / kept[$1]; over = ratio > most; bad = bad || over
    printf "%-14s %14d  %.3f of the committed count%s\n", $1, $2, ratio, over ? ", MORE THAN A TENTH OVER IT" : "" }
  END { exit bad }' "$kept" "$counts"
