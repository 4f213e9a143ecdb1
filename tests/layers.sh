#!/bin/sh
# The folders of src/ in dependency order: a file includes only from its own folder, from those before
# it, and the root headers.
set -eu
cd "$(dirname "$0")/../src"
order="text yaml spec count calibration import load kernels layer ideal deploy search traffic replay plan study report records cli"
allowed="units.hpp error.hpp version.hpp"
status=0
for folder in $order; do
  allowed="$allowed $folder/"
  case "$folder" in
    report) own="text/ report/ units.hpp error.hpp" ;;
    cli) own="$allowed ask.hpp" ;;
    *) own="$allowed" ;;
  esac
  [ -n "$(ls "$folder" 2>/dev/null)" ] || continue
  for file in $(find "$folder" -name '*.hpp' -o -name '*.cpp'); do
    for include in $(sed -n 's/^#include "\(.*\)"$/\1/p' "$file"); do
      ok=no
      for prefix in $own; do
        case "$include" in "$prefix"*) ok=yes ;; esac
      done
      [ "$ok" = yes ] || { echo "src/$file must not include $include" >&2; status=1; }
    done
  done
done
exit $status
