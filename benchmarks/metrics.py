"""What our metrics cost, beside torch-fidelity, pytorch-fid and prdc: time and memory, from features.

    python benchmarks/metrics.py [--sections full,fid,prdc,memory,scaling] [--n 10000] [--dims 128,2048] [--repeats 5]

All get the same float32 tensors: ReLU features whose spectrum falls off as a network's does, and logits (10 classes at
d < 1000, else 1,008). KID is the literature's: 100 subsets of 1,000, the same for all (torch-fidelity's seed); what
shares work is asked for in one call, as an evaluation does. Rivals run in turn within one process, in an order that
alternates; times are medians, and `ratio` is the median over repeats of theirs / ours. `differs` is the largest
relative difference of their values from ours. Peak memory is what a process of its own needs beyond the features, after
a small warm-up. Prints Markdown.

Sections: full (FID, IS, KID, P/R), fid (largest d alone), prdc (P/R/D/C), memory (of all of these), scaling (each
metric by n, at the smallest d; processes of their own, hence time and memory of the same runs).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import scipy
import torch
from rivals import RIVALS, SCALING, Inputs, Run, Values, make
from threadpoolctl import threadpool_limits

SECTIONS = ("full", "fid", "prdc", "memory", "scaling")
SIZES, LARGE = (1000, 2000, 5000, 10_000), (20_000, 50_000)
WARM_UP = 200
"""Rows of the call before the clock: libraries load, threads and buffers are made."""


def timed(run: Run, inputs: Inputs) -> tuple[float, Values]:
    gc.collect()
    start = time.perf_counter()
    values = run(inputs)
    return time.perf_counter() - start, values


def resident(field: str) -> float:
    """MiB of this process: `VmRSS` now, `VmHWM` at its highest (elsewhere than on Linux, the highest for both)."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024
    except OSError:
        unit = 1024**2 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure_here(run: Run, n: int, d: int, repeats: int) -> dict[str, Any]:
    """Return seconds of each repeat, and MiB that the highest took beyond the features."""
    inputs = make(n, d)
    run(inputs.first(min(n, WARM_UP)))
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    # Linux forgets its highest, so that what made the inputs does not count; elsewhere it may.
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    before = resident("VmRSS")
    seconds = [timed(run, inputs)[0] for _ in range(repeats)]
    return {"seconds": seconds, "mib": max(0.0, resident("VmHWM") - before)}


def measure(group: str, name: str, n: int, d: int, repeats: int, threads: int) -> dict[str, Any] | None:
    """The same in a process of its own; None where it fails, which happens where memory runs out."""
    words = ["--one", json.dumps([group, name]), "--n", n, "--dims", d, "--repeats", repeats, "--threads", threads]
    environment = os.environ | {key: str(threads) for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        print((done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1], file=sys.stderr)
        return None
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def table(header: list[str], rows: list[list[str]]) -> None:
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" + " ---: |" * (len(header) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def span(values: list[float], digits: int = 2) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def difference(ours: Values, theirs: Values) -> float:
    return max(abs(theirs[name] - value) / max(abs(value), 1e-12) for name, value in ours.items())


def compare(group: str, n: int, d: int, repeats: int) -> None:
    rivals, inputs = RIVALS[group], make(n, d)
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    values: dict[str, Values] = {}
    for run in rivals.values():
        run(inputs.first(min(n, WARM_UP)))
    for repeat in range(repeats):
        for name in list(rivals)[:: 1 if repeat % 2 == 0 else -1]:
            took, values[name] = timed(rivals[name], inputs)
            seconds[name].append(took)
    rows = []
    for name, took in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(took, seconds["ganbench"], strict=True)]
        away = "" if name == "ganbench" else f"{difference(values['ganbench'], values[name]):.1e}"
        rows.append([name, span(took, 3), "" if name == "ganbench" else span(ratios), away])
    titles = {"full": "FID, IS, KID, P/R", "fid": "FID alone", "prdc": "P, R, D, C (k = 5)"}
    print(f"**{titles[group]}: {n:,} against {n:,}, d = {d}**\n")
    table(["", "seconds", "ratio", "differs"], rows)


def memory(n: int, dims: list[int], threads: int) -> None:
    print(f"**Peak memory beyond the features, MiB: {n:,} against {n:,}**\n")
    rows = []
    for group, rivals in RIVALS.items():
        for name in rivals:
            row = [f"{group}: {name}"]
            for d in dims:
                result = measure(group, name, n, d, 1, threads) if group != "fid" or d == max(dims) else None
                row.append(f"{result['mib']:,.0f}" if result else "")
            rows.append(row)
    table(["", *(f"d = {d}" for d in dims)], rows)


def scaling(sizes: list[int], names: list[str], d: int, repeats: int, threads: int) -> None:
    print(f"**Seconds (median of {repeats}; one run above n = 10,000) / peak MiB beyond the features, d = {d}**\n")
    rows = []
    for name in names:
        row = [name]
        for n in sizes:
            result = measure("scaling", name, n, d, repeats if n <= 10_000 else 1, threads)
            row.append(f"{statistics.median(result['seconds']):.3f} / {result['mib']:,.0f}" if result else "failed")
        rows.append(row)
        print(f"{name}: done", file=sys.stderr, flush=True)
    table(["", *(f"n = {n:,}" for n in sizes)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", default=",".join(SECTIONS), help="of " + ", ".join(SECTIONS))
    parser.add_argument("--n", type=int, default=10_000, help="rows of either set, for all but scaling")
    parser.add_argument("--dims", default="128,2048", help="feature sizes; fid takes the largest, scaling the smallest")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", help="n of the scaling table, instead of 1000,2000,5000,10000")
    parser.add_argument("--large", action="store_true", help="20,000 and 50,000 too in the scaling table")
    parser.add_argument("--metrics", help="rows of the scaling table, by their beginnings; all unless given")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sections, dims = arguments.sections.split(","), [int(d) for d in arguments.dims.split(",")]
    if not set(sections) <= set(SECTIONS):
        parser.error(f"--sections {arguments.sections}: choose from {', '.join(SECTIONS)}")
    torch.set_num_threads(arguments.threads)
    threadpool_limits(arguments.threads)
    if arguments.one:
        group, name = json.loads(arguments.one)
        run = SCALING[name] if group == "scaling" else RIVALS[group][name]
        print(json.dumps(measure_here(run, arguments.n, dims[0], arguments.repeats)))
        return
    print(
        f"{platform.platform()}, {os.cpu_count()} CPUs, {arguments.threads} threads,"
        f" Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__},"
        f" scipy {scipy.__version__}; median of {arguments.repeats} (least to most)\n"
    )
    for section in sections:
        if section == "memory":
            memory(arguments.n, dims, arguments.threads)
        elif section == "scaling":
            sizes = [int(n) for n in arguments.sizes.split(",")] if arguments.sizes else list(SIZES)
            sizes += LARGE if arguments.large else ()
            wanted = tuple(arguments.metrics.split(",")) if arguments.metrics else ("",)
            names = [name for name in SCALING if name.startswith(wanted)]
            scaling(sizes, names, min(dims), arguments.repeats, arguments.threads)
        else:
            for d in [max(dims)] if section == "fid" else dims:
                compare(section, arguments.n, d, arguments.repeats)


if __name__ == "__main__":
    main()
