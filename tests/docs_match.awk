# `awk -f docs_match.awk OUTPUT EXPECTED`: exit 0 where the expected lines are the output. Lines between
# two `...` stand together in the output, and in this order.
function matches(from,   i) {
  for (i = 1; i <= lines; i++)
    if (output[from + i - 1] != part[i]) return 0
  return from + lines - 1 <= total
}
# An expected line, and what the output has that starts with the same words.
function show(line,   words, count, start, i) {
  print "  - " line
  count = split(line, words)
  start = words[1] (count > 1 ? " " words[2] : "")
  for (i = 1; i <= total; i++) {
    if (output[i] == line) return
    split(output[i], words)
    if (start != "" && words[1] (count > 1 ? " " words[2] : "") == start) print "  + " output[i]
  }
}
function place(last,   from, i) {
  if (!lines) return
  from = next_line
  if (gap && last) from = total - lines + 1
  else if (gap) while (from <= total && !matches(from)) from++
  if (from < next_line || !matches(from)) {
    print "\nnot in the output" (gap ? " after its line " next_line - 1 : "") ":"
    for (i = 1; i <= lines; i++) show(part[i])
    bad = 1
  }
  next_line = from + lines
  lines = 0
}
BEGIN { next_line = 1 }
FILENAME == ARGV[1] { output[++total] = $0; next }
$0 == "..." { if (!bad) place(0); gap = 1; left_out = 1; next }
{ left_out = 0; part[++lines] = $0 }
END {
  if (!bad) place(1)
  if (!bad && !left_out && next_line <= total) {
    print "\nthe output goes on: " output[next_line]
    bad = 1
  }
  exit bad
}
