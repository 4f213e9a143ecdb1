#!/bin/sh
# The engine as WebAssembly: web/engine/build.sh FOLDER leaves engine.js and engine.wasm there.
# libyaml, GLPK and two files of glibc are built from the distribution's sources; everything else
# is headers. Needs em++, make, python3 and apt-get (not root).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1" && cd "$1"
jobs=${AFFORD_PAGE_JOBS:-$(nproc)}

. /etc/os-release
case $ID in
  ubuntu) archive="http://archive.ubuntu.com/ubuntu $VERSION_CODENAME main universe" ;;
  *) archive="http://deb.debian.org/debian $VERSION_CODENAME main" ;;
esac

apt() {
  apt-get -qq -o "Dir::Etc::sourcelist=$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o "Dir::State::lists=$PWD/apt/lists" -o APT::Sandbox::User="$(id -un)" "$@"
}

fetch() {  # PACKAGE PATTERN: its source below ./PACKAGE, of which what the pattern names
  [ -d "$1" ] && return
  mkdir -p apt/lists/partial
  echo "deb-src $archive" > apt/sources.list
  apt update
  apt source --download-only "$1"
  rm -rf "$1.part" && mkdir "$1.part"
  tar xf "$1"_*.orig.tar.?z -C "$1.part" --strip-components 1 --wildcards "$2"
  mv "$1.part" "$1"
  rm "$1"_*
}
fetch libyaml '*'
fetch glpk '*'
# The C library of Emscripten rounds their results otherwise: a digit in two numbers of five.
fetch glibc '*/dbl-64/s_[ce][br][rf]*.c'

mkdir -p include
for header in fmt nlohmann CLI; do ln -sfn "/usr/include/$header" "include/$header"; done
ln -sfn /usr/include/eigen3/Eigen include/Eigen

python3 "$root/web/engine/makefile.py" "$root" > Makefile
exec make -j"$jobs" engine.js
