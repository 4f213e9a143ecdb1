#!/bin/sh
# The README shows real output: every block that starts with `$ afford ...` is run again and compared.
set -eu
PATH=$(cd "$(dirname "$1")" && pwd):$PATH
cd "$(dirname "$0")/.."  # paths in commands are those of the source tree
readme=README.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# One file for each block: its command in N.cmd, what follows in N.expected. "..." stands for left-out lines.
awk -v folder="$folder" '
  /^```/ { inside = !inside; command = 0; next }
  inside && /^\$ afford / { n++; command = 1; print substr($0, 3) > (folder "/" n ".cmd"); next }
  inside && command { print > (folder "/" n ".expected") }
' "$readme"
status=0 count=0
for command in "$folder"/*.cmd; do
  expected=${command%.cmd}.expected
  sh "$command" > "$folder/out" 2>&1 || true
  if grep -qx '\.\.\.' "$expected"; then
    # Every shown line must be in the output.
    grep -vx '\.\.\.' "$expected" | while IFS= read -r line; do
      [ -z "$line" ] || grep -qxF -e "$line" "$folder/out" || { echo "README: not in the output of $(cat "$command"): $line" >&2; exit 1; }
    done || status=1
  else
    diff -u "$expected" "$folder/out" >&2 || { echo "README: output differs: $(cat "$command")" >&2; status=1; }
  fi
  count=$((count + 1))
done
[ "$count" -ge 3 ] || { echo "README: only $count shown commands found" >&2; status=1; }
exit $status
