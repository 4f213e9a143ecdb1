"""Builds the engine with CMake. AFFORD_BUILD_DIR names a build tree to use instead of a new one."""

import os
import re
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


def version():
    return re.search(r"project\(afford VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


def where_pybind11_is():
    """The package of an isolated build; without it CMake looks for the system's."""
    try:
        import pybind11
    except ImportError:
        return []
    return [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"]


class BuildEngine(build_ext):
    def build_extension(self, ext):
        package = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        own = Path(self.build_temp).resolve() / "cmake"
        tree = Path(os.environ.get("AFFORD_BUILD_DIR") or own).resolve()
        # A tree that is there may know another Python.
        options = ["-U*Python_*", "-UPYBIND11_*", f"-DPython_EXECUTABLE={sys.executable}",
                   "-DAFFORD_PYTHON=ON"]
        if tree == own:
            options += ["-DCMAKE_BUILD_TYPE=Release", "-DAFFORD_UNITY=ON", "-DBUILD_TESTING=OFF"]
        configure = ["cmake", "-S", str(ROOT), "-B", str(tree), *options, *where_pybind11_is()]
        subprocess.run(configure, check=True)
        build = ["cmake", "--build", str(tree), "--target", "afford_python", "--parallel"]
        subprocess.run(build, check=True)
        install = ["cmake", "--install", str(tree), "--component", "python", "--prefix"]
        subprocess.run([*install, str(package)], check=True)
        for source in (ROOT / "python" / "afford").glob("*.py"):
            (package / source.name).write_bytes(source.read_bytes())
        subprocess.run([sys.executable, str(ROOT / "python/stubs.py"), str(package)], check=True)


setup(version=version(), ext_modules=[Extension("afford._engine", [])],
      cmdclass={"build_ext": BuildEngine})
