"""Writes the Makefile of the engine: sources as CMakeLists.txt lists them, joined up to eight of a
folder, and those of libyaml, GLPK and glibc as they are."""

import re
import sys
from collections import defaultdict
from pathlib import Path

root = Path(sys.argv[1])
version = re.search(r"project\(afford VERSION ([\d.]+)", (root / "CMakeLists.txt").read_text())[1]
ALONE = {"src/calibration/least_squares.cpp", "src/load/library.cpp"}
CXX = (f"-std=c++20 -O2 -fwasm-exceptions -DFMT_HEADER_ONLY -DNDEBUG "
       f"-DAFFORD_VERSION='\"{version}\"' -DAFFORD_INSTALLED_DATA='\"afford\"' "
       f"-I{root}/web/engine/shim -I{root}/src -isystem include -isystem libyaml/include "
       f"-isystem glpk/src")
# Joined sources call functions of <cstdlib> that only the linker would miss.
LINK = ("-O1 -fwasm-exceptions -sMODULARIZE -sEXPORT_NAME=afford_engine -sENVIRONMENT=worker,node "
        "-sALLOW_MEMORY_GROWTH -sSTACK_SIZE=1048576 -sFORCE_FILESYSTEM "
        "-sEXPORTED_RUNTIME_METHODS=ccall,FS -sNODEJS_CATCH_EXIT=0 -sNODEJS_CATCH_REJECTION=0")
LINK = LINK.replace("-sSTACK_SIZE", "-sTOTAL_STACK")  # its name in 3.1.6


def units():
    folders = defaultdict(list)
    for source in re.findall(r"^  (src/\S+\.cpp)\)?$", (root / "CMakeLists.txt").read_text(), re.M):
        if source not in ALONE:
            folders[Path(source).parent.name].append(source)
    for folder, sources in folders.items():
        for part, at in enumerate(range(0, len(sources), 8)):
            joined = Path(f"unit_{folder}_{part}.cpp")
            text = "".join(f'#include "{root}/{source}"\n' for source in sources[at:at + 8])
            if not joined.exists() or joined.read_text() != text:
                joined.write_text(text)
            yield joined.stem, joined
    for source in sorted(ALONE) + ["web/engine/engine.cpp", "web/engine/missing.cpp"]:
        yield Path(source).stem, root / source


objects = []
for name, source in units():
    objects.append(f"{name}.o")
    print(f"{name}.o: {source}\n\tem++ {CXX} -MMD -MP -c $< -o $@")
for part in ("api", "parser", "reader", "scanner"):
    objects.append(f"yaml_{part}.o")
    print(f"{objects[-1]}: libyaml/src/{part}.c\n\temcc -O2 -w -Ilibyaml/include "
          "-DYAML_VERSION_STRING='\"\"' -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=0 "
          "-DYAML_VERSION_PATCH=0 -c $< -o $@")
folders = [path for path in sorted(Path("glpk/src").iterdir()) if path.is_dir()]
includes = " ".join(f"-I{folder}" for folder in folders)
for source in sorted(Path("glpk/src").rglob("*.c")):
    if source.name in ("main.c",):
        continue
    objects.append(f"glpk_{source.parent.name}_{source.stem}.o")
    print(f"{objects[-1]}: {source}\n\temcc -O2 -w -Iglpk/src {includes} -c $< -o $@")
for function in ("cbrt", "erf"):
    objects.append(f"glibc_{function}.o")
    print(f"{objects[-1]}: glibc/sysdeps/ieee754/dbl-64/s_{function}.c\n\temcc -O2 -w "
          f"-I{root}/web/engine/shim/glibc -D__cbrt=cbrt -D__erf=erf -D__erfc=erfc "
          f"-D__frexp=frexp -D__ldexp=ldexp -c $< -o $@")
print(f"engine.js: {' '.join(objects)}\n\tem++ {LINK} $^ -o $@")
print("-include *.d")
