#!/bin/sh
# The pages keep what they show: `docs.sh AFFORD` runs every shown command again and compares its
# output, follows every link and looks for every path that a page names.
#
# In a fenced block, `$ afford ...` (or `$ sed ...`, which makes a file for it) is a command, `\` at the
# end of its line goes on with the next, and what follows is its output; a line `...` stands for lines
# left out. A yaml block whose first line is `# NAME.yaml` is that file to the commands of its page.
set -eu
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
fail() { echo "$*" >&2; status=1; }

pages=$(ls ./*.md docs/*.md calibrate/*.md reports/*.md | sed 's,^\./,,')

# Shown commands a page has at least, so that none is lost with its fence.
least() {
  case $1 in
    README.md | docs/simulate.md | docs/search.md) echo 3 ;;
    docs/README.md | docs/glossary.md | docs/equations.md | docs/python.md) echo 0 ;;
    docs/*) echo 1 ;;
    *) echo 0 ;;
  esac
}

# run_page PAGE: its commands run in a folder of their own that shows the source tree, so that they may
# write files.
run_page() {
  page=$1 folder=$work/page
  rm -rf "$folder"
  mkdir -p "$folder/tree" "$folder/bin"
  ln -s "$binary" "$folder/bin/afford"
  for entry in "$root"/*; do ln -s "$entry" "$folder/tree/"; done
  awk -v folder="$folder" -f "$here/docs_blocks.awk" "$page"
  count=0
  while [ -e "$folder/$((count + 1)).command" ]; do
    count=$((count + 1))
    command=$folder/$count.command
    (cd "$folder/tree" && PATH=$folder/bin:$PATH sh "$command") > "$folder/output" 2>&1 || true
    awk -f "$here/docs_match.awk" "$folder/output" "$folder/$count.expected" > "$folder/difference" ||
      fail "$page: output differs: $(cat "$command" "$folder/difference")"
  done
  shown=$(grep -c '^\$ \(afford\|sed\) ' "$page" || true)
  [ "$count" -eq "$shown" ] || fail "$page: $count of $shown shown commands stand in a block"
  [ "$count" -ge "$(least "$page")" ] || fail "$page: only $count shown commands, $(least "$page") expected"
}

# Headings as the anchors that links use.
anchors() {
  awk '/^```/ { inside = !inside } !inside && /^#+ /' "$1" |
    sed 's/^#* //' | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g'
}

# Links to files and headings; the web is not asked.
check_links() {
  page=$1
  for link in $(grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//'); do
    case $link in http:* | https:*) continue ;; esac
    file=${link%%#*}
    target=$page
    [ -z "$file" ] || target=$(dirname "$page")/$file
    [ -e "$target" ] || { fail "$page: no file behind the link $link"; continue; }
    case $link in
      *#*) anchors "$target" | grep -qxF -e "${link#*#}" || fail "$page: no heading behind the link $link" ;;
    esac
  done
}

# Paths of the tree that the text names. NAME and the like are places to fill in; history may name what
# is gone.
check_paths() {
  page=$1
  [ "$page" != CHANGELOG.md ] || return 0
  for path in $(grep -oE '(^|[^A-Za-z0-9_./-])(src|tests|calibrate|models|hardware|engines|validation|docs|\.ci)/[A-Za-z0-9_./*-]*' \
    "$page" | sed 's/^[^A-Za-z.]//; s/[.]*$//'); do
    case $path in *[A-Z][A-Z]*) case $path in */README.md) ;; *) continue ;; esac ;; esac
    # shellcheck disable=SC2086  # a pattern such as models/*.yaml
    ls -d $path >/dev/null 2>&1 || ls -d "$(dirname "$page")/$path" >/dev/null 2>&1 ||
      fail "$page: names $path, which does not exist"
  done
}

# Prose ends at column 120; tables, blocks and pictures may be wider.
check_width() {
  awk -v page="$1" '
    /^```/ { inside = !inside }
    !inside && !/^\|/ && length($0) > 120 { print page ":" FNR ": " length($0) " columns"; bad = 1 }
    END { exit bad }' "$1" >&2 || status=1
}

# Every room of the source has its row.
for room in src/*/; do
  grep -q "^| \`$(basename "$room")\` |" ARCHITECTURE.md || fail "ARCHITECTURE.md: no row for $room"
done

for page in $pages; do
  check_links "$page"
  check_paths "$page"
  case $page in calibrate/* | reports/*) continue ;; esac
  check_width "$page"
  run_page "$page"
done
exit $status
