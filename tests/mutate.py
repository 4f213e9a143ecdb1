#!/usr/bin/env python3
"""Makes mutants of the sources, one at a time, and reports those that no test notices.

usage: tests/mutate.py [--build DIR] [--suites unit,property,paper] [NAME ...]

Run from a configured build (default build/dev). A mutant replaces one piece of text that must occur
exactly once in its file; a mutant whose text is gone is reported as stale. The file is put back
after each, also when stopped. Exit 0: every mutant was caught; 1: one survived or is stale.

Not part of the tests: it takes a build and a test run for each mutant. Run it when formulas move.
"""
import argparse
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# name, file, text, replacement
MUTANTS = [
    ("network: the faster end sets the time", "src/deploy/pool_pair.cpp",
     "return std::max(at_attention * each_token", "return std::min(at_attention * each_token"),
    ("buffers: partial results dropped", "src/deploy/disaggregated_memory.cpp",
     "2 + 1 + 2 * s.instances_in_replica", "2 + 1"),
    ("cache of a micro-batch not spread over instances", "src/deploy/disaggregated.cpp",
     "std::round(requests * in_flight) / real(d.attention_units())",
     "std::round(requests * in_flight) / real(d.attention.accelerators)"),
    ("activations at the rate of device memory", "src/kernels/machine.hpp",
     "op.activations / (machine.engine->l2_over_memory * reached.memory)",
     "op.activations / reached.memory"),
    ("calibrated activations at the rate of device memory", "src/kernels/machine.hpp",
     "std::min(1.0, chip.read / chip.l2)", "1.0"),
    ("MLA: one half of the absorbed products", "src/layer/attention_side.cpp",
     ".kernels = 2};", ".kernels = 1};"),
    ("MLA: absorbed products in FP8", "src/layer/attention_side.cpp",
     ".weights = Dtype::bf16,", ".weights = Dtype::fp8,"),
    ("latent experts: their two matrices dropped", "src/layer/ffn_side.cpp",
     "if (side.shape.ffn.latent == 0) return;", "if (side.shape.ffn.latent >= 0) return;"),
    ("transfer: fractions carried over unchanged", "src/calibration/chip_timing.cpp",
     "f = 1 / (1 + (1 / f - 1) * ratio);", "f = 1 / (1 + (1 / f - 1) * (ratio > 0 ? 1 : 2));"),
    ("a cache in one piece instead of pages", "src/kernels/attention_core.cpp",
     ".paged = machine.engine->paged_cache}", ".paged = false}"),
    ("KV: heads spread over every accelerator", "src/kernels/attention_core.cpp",
     "std::min<double>(work.ways, count.kv_heads)", "work.ways"),
    ("convolution inputs not written", "src/count/core.hpp",
     "traffic.updated = state + size_of(Dtype::bf16, core.convolution.written);",
     "traffic.updated = state;"),
    ("convolution inputs not read", "src/count/core.hpp",
     "traffic.read += state + size_of(Dtype::bf16, core.convolution.read);",
     "traffic.read += state;"),
    ("a state is not split by its heads", "src/spec/attention/gated_delta_net.hpp",
     ".kv_heads = real(a.value_heads),", ".kv_heads = 1,"),
    ("show: activations of the core in one direction", "src/count/modules.cpp",
     "return (size_of(input_format, inputs) + size_of(output_format, outputs)) / token;",
     "return (size_of(input_format, inputs) + size_of(output_format, 0 * outputs)) / token;"),
    ("output maps before the core", "src/spec/attention/csa.hpp",
     ".role = Role::output,", ".role = Role::from_rank,"),
    ("combine reads one partial result", "src/layer/attention_side.cpp",
     "(work.partial_results + 2) / 2 * vectors", "3 / 2.0 * vectors"),
    ("a recurrent state takes the format of the KV", "src/spec/overrides.cpp",
     "attention.cache = cache_format(model, attention);", "attention.cache.reset();"),
    ("a gate where there is none", "src/spec/ffn/count.hpp",
     "return gated ? 2 : 1;", "return 2;"),
]


def run(command, **more):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **more)


def caught_by(build, suites):
    """What notices the mutant in the tree now: the compiler, a suite, or nothing."""
    if run(["cmake", "--build", build, "--target", "afford_tests"]).returncode != 0:
        return "build"
    environment = {"PATH": "/usr/bin:/bin", "AFFORD_DATA": str(ROOT)}
    for suite in suites:
        tests = [f"{build}/tests/afford_tests", f"--test-suite={suite}", "--no-intro"]
        if run(tests, env=environment).returncode != 0:
            return suite
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--suites", default="unit,property,paper")
    parser.add_argument("names", nargs="*", help="parts of the names of mutants; default all")
    args = parser.parse_args()
    suites = args.suites.split(",")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the file is put back
    if caught_by(args.build, suites) is not None:
        sys.exit("the tree without a mutant does not pass its tests")
    chosen = [m for m in MUTANTS if not args.names or any(n in m[0] for n in args.names)]
    if not chosen:
        sys.exit("no mutant of this name")
    bad = 0
    for name, file, text, replacement in chosen:
        path = ROOT / file
        source = path.read_text()
        if source.count(text) != 1:
            print(f"stale     {name}: its text occurs {source.count(text)} times in {file}")
            bad += 1
            continue
        try:
            path.write_text(source.replace(text, replacement))
            by = caught_by(args.build, suites)
        finally:
            path.write_text(source)
        print(f"{'survived' if by is None else 'caught  '}  {name}" + (f" ({by})" if by else ""),
              flush=True)
        bad += by is None
    print(f"{len(chosen) - bad} of {len(chosen)} caught")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
