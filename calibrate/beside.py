#!/usr/bin/env python3
"""Puts afford's kernels beside what else runs the same shapes on the same card.

    afford-calibrate verify --beside ours.csv && python3 calibrate/beside.py ours.csv > table.md

Needs PyTorch with CUDA. The protocol is that of afford-calibrate: a hot GPU, CUDA graphs of calls
over input sets in turn (so that nothing stays in L2), medians. The first call of every other kernel
is compared with FP32; one that is wrong, or cannot run, is named under the table with the reason.
cuBLASLt's block-scaled products come out of ours.csv, each with the fastest algorithm that its
heuristic offers: afford-calibrate times them itself.
"""

import csv
import datetime
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.bias import causal_lower_right

ROTATING = 1.2e9  # bytes of all input sets, many times any L2 cache
GRAPH_US, GRAPHS, SECONDS, WARM_UP = 5000, 4, 0.3, 0.1
SKIPPED = {}  # kernel: {reason: cases}


def read_points(path):
    number = lambda text: float(text or 0)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    texts = ("operation", "precision", "tag", "kernel", "rejected", "card")
    return [{k: v if k in texts else number(v) for k, v in row.items()} for row in rows]


def heat(seconds):
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(20):
            a @ a
        torch.cuda.synchronize()


def median_us(calls):
    """Of one call; `calls` has one for each input set."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for call in calls:
            call()
        stream.synchronize()

        def graph_of(rounds):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                for _ in range(rounds):
                    for call in calls:
                        call()
            return graph

        def timed(graph, times):
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for _ in range(times):
                graph.replay()
            stop.record()
            stop.synchronize()
            return 1e3 * start.elapsed_time(stop)

        once = graph_of(1)
        once.replay()
        rounds = max(1, min(2000 // len(calls), int(GRAPH_US / timed(once, 1))))
        graph = graph_of(rounds)
        end = time.monotonic() + WARM_UP
        while time.monotonic() < end:
            timed(graph, GRAPHS)
        samples, end = [], time.monotonic() + SECONDS
        while len(samples) < 10 or time.monotonic() < end:
            samples.append(timed(graph, GRAPHS) / (GRAPHS * rounds * len(calls)))
    return statistics.median(samples)


def error_of(have, want):
    return ((have.float() - want).norm() / want.norm()).item()


def attempt(name, case, calls, check, tolerance):
    """Time of the kernel, or None and a line under the table."""
    try:
        error = check(calls[0]())
        if not error <= tolerance:
            raise RuntimeError(f"wrong: relative error {error:.1e}")
        return median_us(calls)
    except Exception as failure:  # whatever the library says
        reason = str(failure).strip().split("\n")[0][:160]
        SKIPPED.setdefault(name, {}).setdefault(reason, []).append(case)
        torch.cuda.synchronize()
        return None


def sets_of(size):
    return max(2, -(-int(ROTATING) // int(size)))


def attention_of_equal(p, case):
    batch, heads, kv, dim = (int(p[k]) for k in ("batch", "query_heads", "kv_heads", "head_dim"))
    length = int(p["context_tokens"])
    random = lambda *shape: torch.randn(*shape, device="cuda", dtype=torch.bfloat16)
    caches = [(random(batch, kv, length, dim), random(batch, kv, length, dim))
              for _ in range(sets_of(p["bytes"]))]
    q = random(batch, heads, 1, dim)
    # All heads of a KV head as rows of one: the same numbers without repeated reading.
    rows = q.view(batch, kv, heads // kv, dim)
    k, v = caches[0]
    weights = (rows[:1].float() @ k[:1].float().mT / dim**0.5).softmax(-1)
    want = (weights @ v[:1].float()).reshape(-1)
    results = {}
    for name, backend in (("cuDNN", SDPBackend.CUDNN_ATTENTION),
                          ("Flash", SDPBackend.FLASH_ATTENTION)):
        for form, query in (("enable_gqa", q), ("rows", rows)):
            def call(k, v, query=query, form=form):
                return F.scaled_dot_product_attention(query, k, v, enable_gqa=form == "enable_gqa")
            with sdpa_kernel(backend):
                calls = [lambda k=k, v=v: call(k, v) for k, v in caches]
                check = lambda out: error_of(out[:1].reshape(-1), want)
                us = attempt(f"{name} {form}", case, calls, check, 1e-2)
            if us:
                results[f"{name} {form}"] = us
    return results


def attention_of_mixed(p, case):
    """One long request among 31 of 4K: the only mix of ours.csv."""
    from torch.nn.attention.varlen import varlen_attn

    batch, heads, dim = (int(p[k]) for k in ("batch", "query_heads", "head_dim"))
    longest = int(p["longest_tokens"])
    other = round((p["context_tokens"] * batch - longest) / (batch - 1))
    lengths = [longest] + [other] * (batch - 1)
    total = sum(lengths)
    random = lambda *shape: torch.randn(*shape, device="cuda", dtype=torch.bfloat16)
    ends = lambda sizes: torch.tensor([0, *sizes], device="cuda").cumsum(0).int()
    caches = [(random(total, 1, dim), random(total, 1, dim)) for _ in range(sets_of(p["bytes"]))]
    q = random(batch * heads, 1, dim)
    q_ends, k_ends = ends([heads] * batch), ends(lengths)
    k, v = (x[-other:, 0].float() for x in caches[0])
    want = (q[-heads:, 0].float() @ k.T / dim**0.5).softmax(-1) @ v
    calls = [lambda k=k, v=v: varlen_attn(q, k, v, q_ends, k_ends, heads, longest)
             for k, v in caches]
    check = lambda out: error_of(out[-heads:, 0], want)
    us = attempt("Flash varlen rows", case, calls, check, 1e-2)
    return {"Flash varlen rows": us} if us else {}


def attention_of_prompt(p, case):
    """Causal, in the layout [token][head][dimension] that ours reads too."""
    heads, kv, dim, tokens = (int(p[k]) for k in ("query_heads", "kv_heads", "head_dim", "tokens"))
    value_dim = 128 if dim == 192 else dim  # MLA with keys and values expanded
    keys = int(p["context_tokens"])
    prefix = keys - tokens

    def random(rows, count, width):
        data = torch.randn(1, rows, count, width, device="cuda", dtype=torch.bfloat16)
        return data.transpose(1, 2)

    sets = [(random(tokens, heads, dim), random(keys, kv, dim), random(keys, kv, value_dim))
            for _ in range(2)]
    row = tokens // 3  # of the last head, against FP32
    q, k, v = sets[0]
    seen = slice(prefix + row + 1)
    weights = (q[0, -1, row].float() @ k[0, -1, seen].float().T / dim**0.5).softmax(-1)
    want = weights @ v[0, -1, seen].float()
    mask = {"attn_mask": causal_lower_right(tokens, keys)} if prefix else {"is_causal": True}
    results = {}
    for name, backend in (("cuDNN", SDPBackend.CUDNN_ATTENTION),
                          ("Flash", SDPBackend.FLASH_ATTENTION)):
        def call(q, k, v):
            return F.scaled_dot_product_attention(q, k, v, enable_gqa=heads != kv, **mask)
        with sdpa_kernel(backend):
            calls = [lambda one=one: call(*one) for one in sets]
            check = lambda out: error_of(out[0, -1, row], want)
            us = attempt(f"{name} causal", case, calls, check, 1e-2)
        if us:
            results[f"{name} causal"] = us
    return results


def experts_in_fp8(p, case, points):
    """cuBLASLt an expert; `_scaled_grouped_mm` has no 128-blocks on this chip, so scales a row."""
    count, hidden, inner = (int(p[k]) for k in ("experts", "hidden", "intermediate"))
    tokens = int(p["busiest_tokens"])

    def library(n, k):
        found = [q["median_us"] for q in points if q["operation"] == "dense" and q["m"] == tokens
                 and q["n"] == n and q["k"] == k and q["precision"] == "fp8_128"]
        return found[0] if found else None

    products = [library(2 * inner, hidden), library(hidden, inner)]
    results = {}
    if all(products):
        results["cuBLASLt 128-blocks, an expert at a time"] = count * sum(products)
    us = grouped(p, case, torch.float8_e4m3fn, "grouped_mm, a scale a row")
    if us:
        results["grouped_mm, a scale a row"] = us
    return results


def grouped(p, case, dtype, name):
    """The two grouped products of an expert network; no SwiGLU, no quantisation between them."""
    count, hidden, inner = (int(p[k]) for k in ("experts", "hidden", "intermediate"))
    rows = int(p["tokens"])
    each = rows // count
    fp8 = dtype == torch.float8_e4m3fn
    spread = 110 if fp8 else 1  # as afford's: what scaling a block's largest to 448 leaves

    def random(*shape):
        data = torch.empty(shape, device="cuda", dtype=dtype)
        for part in data.view(-1).split(1 << 26):
            part.copy_(torch.randn(part.shape, device="cuda").mul_(spread).clamp_(-448, 448))
        return data

    ends = torch.arange(each, rows + 1, each, device="cuda", dtype=torch.int32)
    size = count * 3 * hidden * inner * (1 if fp8 else 2)
    shapes = ((2 * inner, hidden), (hidden, inner))
    sets = [[random(count, n, k) for n, k in shapes] for _ in range(sets_of(size))]
    inputs = [random(rows, k) for _, k in shapes]
    row_scales = torch.full((rows,), 1e-4, device="cuda")
    weight_scales = [torch.full((count, n), 1e-4, device="cuda") for n, _ in shapes]

    def product(i, weights):
        if not fp8:
            return torch._grouped_mm(inputs[i], weights.mT, offs=ends)
        return torch._scaled_grouped_mm(inputs[i], weights.mT, row_scales, weight_scales[i],
                                        offs=ends, out_dtype=torch.bfloat16, use_fast_accum=True)

    def check(outputs):
        scale = 1e-8 if fp8 else 1
        return max(error_of(out[:each], inputs[i][:each].float() @ sets[0][i][0].float().T * scale)
                   for i, out in enumerate(outputs))

    calls = [lambda w=w: [product(0, w[0]), product(1, w[1])] for w in sets]
    return attempt(name, case, calls, check, 2e-2)


def title(p):
    if p["operation"] == "moe_ffn":
        label = "FP8 128-blocks" if p["precision"] == "fp8_128" else "BF16"
        return (f"MoE {label}, {p['experts']:.0f} x {p['hidden']:.0f} x {p['intermediate']:.0f}, "
                f"{p['busiest_tokens']:.0f} tokens an expert")
    kind = p["operation"].split("_")[0].upper()
    if p["operation"].endswith("_prefill"):
        shape = f"{p['tokens']:.0f} new tokens"
        if p["context_tokens"] > p["tokens"]:
            shape += f" over {p['context_tokens'] - p['tokens']:.0f}"
        heads = f"{p['query_heads']:.0f}/{p['kv_heads']:.0f}"
        return f"{kind} prefill BF16 {heads} d {p['head_dim']:.0f}, {shape}"
    shape = f"{p['batch']:.0f} x {p['context_tokens']:.0f}"
    if p["longest_tokens"] > p["context_tokens"]:
        shape += f" (one of {p['longest_tokens']:.0f})"
    heads = f"{p['query_heads']:.0f}/{p['kv_heads']:.0f}"
    return f"{kind} {p['precision'].upper()} {heads} d {p['head_dim']:.0f}, {shape}"


def roof_us(p, points):
    """Reading the same bytes at the rate of the next larger read, or the tensor cores' work."""
    reads = sorted((q["bytes"], q["bytes"] / q["median_us"]) for q in points
                   if q["operation"] == "read" and q["median_us"] > 0)
    rate = next((r for size, r in reads if size >= 0.9 * p["bytes"]), reads[-1][1])
    tensor = {q["precision"]: q["flops"] / q["median_us"] for q in points
              if q["operation"] == "tensor" and q["median_us"] > 0}
    return max(p["bytes"] / rate, p["flops"] / tensor[p["precision"].split("_")[0]])


def others(p, points):
    case = title(p)
    if p["operation"] == "moe_ffn" and p["precision"] == "fp8_128":
        return experts_in_fp8(p, case, points)
    if p["operation"] == "moe_ffn":
        us = grouped(p, case, torch.bfloat16, "grouped_mm")
        return {"grouped_mm": us} if us else {}
    if p["operation"].endswith("_prefill"):
        return attention_of_prompt(p, case)
    mixed = p["longest_tokens"] > p["context_tokens"]
    return attention_of_mixed(p, case) if mixed else attention_of_equal(p, case)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("beside.py: expected the CSV of `afford-calibrate verify --beside FILE.csv`")
    points = read_points(sys.argv[1])
    print(f"{torch.cuda.get_device_name()}, {datetime.date.today()}, PyTorch {torch.__version__}, "
          f"cuDNN {torch.backends.cudnn.version()}, CUDA {torch.version.cuda}.\n")
    print("| case | ours, us | % of roof | best other | us | other / ours | further |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    heat(8)
    for p in points:
        if not p["operation"].endswith(("_decode", "_prefill")) and p["operation"] != "moe_ffn":
            continue
        if p["median_us"] <= 0:
            SKIPPED.setdefault("afford", {}).setdefault(p["rejected"], []).append(title(p))
            continue
        found = sorted(others(p, points).items(), key=lambda one: one[1])
        torch.cuda.empty_cache()
        if not found:
            continue  # no row without another kernel; the reasons stand below
        (name, us), rest = found[0], found[1:]
        ours = p["median_us"]
        mark = " (!)" if p["rejected"] else ""
        further = "; ".join(f"{n} {t:.4g}" for n, t in rest)
        print(f"| {title(p)} | {ours:.4g}{mark} | {100 * roof_us(p, points) / ours:.1f} | {name} "
              f"| {us:.4g} | {us / ours:.2f} | {further} |", flush=True)
    print()
    for name, reasons in SKIPPED.items():
        for reason, cases in reasons.items():
            print(f"- {name}: {reason} ({len(cases)}: {cases[0]}{', ..' if cases[1:] else ''})")


if __name__ == "__main__":
    main()
