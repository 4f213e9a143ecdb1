#!/bin/sh
# Makes every report from the binary: `make.sh AFFORD` writes them beside this script, `make.sh --check
# AFFORD` compares the committed ones with what the binary makes now.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
check=no
[ "$1" = "--check" ] && { check=yes; shift; }
afford=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
out=$here
cd "$here/.."  # paths in commands are those of the source tree
[ "$check" = yes ] && { out=$(mktemp -d); trap 'rm -rf "$out"' EXIT; }

nine="-m step-3,deepseek-v3,kimi-k2,qwen3-moe,qwen3-32b,llama-4-maverick,minimax-m1,ernie-4.5,pangu-pro-moe"
three="-m step-3,deepseek-v3,qwen3-moe"
four="--on h800,h20,a800,910b"

index="$out/README.md"
cat > "$index" <<'EOF'
# Reports

The tables and figures of the Step-3 report (arXiv 2507.19427) as `afford` makes them, for all nine of its
models. `cmake --build --preset reports` writes them anew; a test fails when one no longer matches the code.
The report's own cells are checked at their printed precision in `tests/paper/`. Its Figure 4 is read here as
"disaggregated against a single chip", and its unit costs stand with its hardware in table-4. Below them stand
searches over every deployment (`pareto`), predictions beside served points, and a plan for the traffic of
[chat-50.yaml](chat-50.yaml); [frontier.sbatch](frontier.sbatch) runs a search as a Slurm job array.

| report | what it shows | command |
| --- | --- | --- |
EOF

# report NAME "WHAT" ARGUMENTS...: NAME.csv and NAME.md, and for pictures NAME.svg and its script NAME.gp.
report() {
  name=$1 what=$2
  shift 2
  files="[csv]($name.csv) [md]($name.md)"
  case $name in
    figure-* | accuracy)
      files="$files [svg]($name.svg) [gnuplot]($name.gp)"
      "$afford" "$@" --format csv -o "$out/$name.csv" --plot "$out/$name.gp" 2>/dev/null
      if command -v gnuplot >/dev/null; then
        "$afford" "$@" --format md -o "$out/$name.md" --plot "$out/$name.svg"
      else
        echo "reports: gnuplot is not installed, $name.svg skipped"
        "$afford" "$@" --format md -o "$out/$name.md"
      fi ;;
    *)
      "$afford" "$@" --format csv -o "$out/$name.csv" 2>/dev/null
      "$afford" "$@" --format md -o "$out/$name.md" ;;
  esac
  echo "| $name: $files | $what | \`afford $*\` |" >> "$index"
}

# Searches over chips of which some are calibrated and some are not compare like with like: on the defaults.
# shellcheck disable=SC2086  # $nine and $four are lists of words
{
report table-2 "Counts of a decoded token at 8K" cost $nine --on h800 -c 8k
report table-3 "The same at 32K" cost $nine --on h800 -c 32k
report table-4 "Hardware, prices and unit costs" list hardware
report table-5 "Cheapest pair of chips and cheapest single chip" compare $nine $four -c 8k,32k
report table-6 "Cost of attention and FFN on each chip" cost $nine $four -c 8k,32k
report table-7 "Smallest MoE sparsity the network allows" roofline -m step-3 $four --convention paper
report figure-1 "Cost against activated parameters" compare $nine $four -c 8k,32k
report figure-2 "Cost by module, model and chip" cost $nine $four -c 8k,32k
report figure-3 "Cost against context" compare $nine $four -c '2k..128k*2' --chart context
report figure-4 "Disaggregated against a single chip" compare $nine $four -c 8k,32k --chart split
report figure-5 "Attention FLOPs against cache bytes, with the chips' ridges" roofline $nine $four -c 8k,32k --convention paper
report figure-6 "Most tokens a second and GPU at each TPOT" pareto $three $four -c 8k,32k --max-gpus 64 --engine ideal --calibration none
report figure-7 "Fewest dollars at each TPOT" pareto $three $four -c 8k,32k --max-gpus 64 --objective usd --engine ideal --calibration none
report figure-8 "Step-3's cheapest chips over the context" pareto -m step-3 --on h800,h20 --objective usd --batch-steps 8 --sweep context=4k..24k+4k --engine ideal --calibration none
report accuracy "Predicted against measured time of served points, by engine and chip" validate --served shipped
report figure-pipelines "AFD, EP and TP on H100 and H200, predicted against measured" validate --afd shipped
report plan-chat-50 "What to rent for 50 requests a second" plan reports/chat-50.yaml --engine ideal --calibration none
}

# The page has all of them live. It is too large to keep beside its sources, so it is made where it can be.
echo "| explore.html, which \`cmake --workflow --preset page && cmake --build --preset reports\` puts here | All of this for a browser, live ([docs/explore.md](../docs/explore.md)) | \`afford explore -o reports/explore.html pareto $three --on h800,h20 -c 8k,32k\` |" >> "$index"
if [ "$check" = no ]; then
  # shellcheck disable=SC2086  # $three is a list of words
  "$afford" explore -o "$out/explore.html" pareto $three --on h800,h20 -c 8k,32k ||
    echo "reports: the page is not built, explore.html skipped"
fi

[ "$check" = yes ] || exit 0
status=0
for made in "$out"/*; do
  kept=$here/$(basename "$made")
  case $made in
    *.svg)
      # Another gnuplot draws the same script a little differently; the script itself is compared.
      maker() { grep -o 'Produced by GNUPLOT [^<]*' "$1" | head -1; }
      if [ "$(maker "$made")" != "$(maker "$kept")" ]; then
        echo "reports: $(basename "$made") skipped: kept one is $(maker "$kept"), this is $(maker "$made")"
        continue
      fi ;;
  esac
  cmp -s "$made" "$kept" || { echo "reports: $(basename "$made") no longer matches the code" >&2; status=1; }
done
[ $status -eq 0 ] || echo "reports: run cmake --build --preset reports and look at the difference" >&2
exit $status
