# Takes the fenced blocks of a page apart (see docs.sh): N.command and N.expected in `folder`, files in
# folder/tree.
/^```/ {
  inside = !inside
  first = inside
  command = going_on = 0
  file = ""
  yaml = /^```yaml/
  next
}
!inside { next }
first && yaml && /^# [A-Za-z0-9._-]+\.yaml$/ { file = folder "/tree/" $2 }
{ first = 0 }
file { print > file; next }
/^\$ (afford|sed) / {
  n++
  command = 1
  printf "" > (folder "/" n ".expected")
  line = substr($0, 3)
  print line > (folder "/" n ".command")
  going_on = line ~ /\\$/
  next
}
going_on { print > (folder "/" n ".command"); going_on = /\\$/; next }
command { print > (folder "/" n ".expected") }
