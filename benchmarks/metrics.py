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
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy
import torch
from threadpoolctl import threadpool_limits

from ganbench.metrics import (
    PairReference,
    Subsets,
    authenticity,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from ganbench.metrics.copying import data_copying
from ganbench.metrics.frechet_infinity import frechet_distance_infinity
from ganbench.metrics.mmd import kernel_distance_exact, rbf_kernel_distance
from ganbench.metrics.moments import Moments
from ganbench.metrics.vendi import vendi_score

try:
    from pytorch_fid.fid_score import calculate_frechet_distance
except ImportError:
    calculate_frechet_distance = None

SECTIONS = ("full", "fid", "prdc", "memory", "scaling")
SIZES, LARGE = (1000, 2000, 5000, 10_000), (20_000, 50_000)
WARM_UP = 200
"""Rows of the call before the clock: libraries load, threads and buffers are made."""


class Inputs(NamedTuple):
    """Features (n, d) of both sets and the fakes' logits, float32."""

    real: torch.Tensor
    fake: torch.Tensor
    logits: torch.Tensor

    def first(self, n: int) -> Inputs:
        return Inputs(*(part[:n].clone() for part in self))


Values = dict[str, float]
Run = Callable[[Inputs], Values]


def make(n: int, d: int) -> Inputs:
    """In chunks, so that making them leaves no peak above the result."""
    generator = torch.Generator().manual_seed(0)
    decay = torch.arange(1, d + 1).pow(-0.5)
    mix = torch.randn(d, d, generator=generator) * decay
    classes = 1008 if d >= 1000 else 10

    def features(shift: float) -> torch.Tensor:
        rows = torch.empty(n, d)
        for part in rows.split(1000):
            noise = torch.randn(len(part), d, generator=generator)
            part.copy_(torch.relu(noise @ mix.T / decay.norm() + 0.3 + shift))
        return rows

    return Inputs(features(0.0), features(0.1), 3 * torch.randn(n, classes, generator=generator))


def subset_size(inputs: Inputs) -> int:
    return min(1000, len(inputs.real))


# Ours.


def our_fid(inputs: Inputs) -> Values:
    return {"fid": frechet_distance(inputs.real, inputs.fake)}


def our_full(inputs: Inputs) -> Values:
    subsets = Subsets(100, subset_size(inputs), 2020)
    found = PairReference(inputs.real).compare(inputs.fake, density=False, subsets=subsets)._asdict()
    score = inception_score(inputs.logits.double().softmax(dim=1))
    return our_fid(inputs) | {"is": score[0]} | {name: found[name] for name in ("kid", "precision", "recall")}


def our_prdc(inputs: Inputs) -> Values:
    found = PairReference(inputs.real, k_manifold=5).compare(inputs.fake)._asdict()
    return {name: found[name] for name in ("precision", "recall", "density", "coverage")}


# Theirs. torch-fidelity's first input is the fake set.


def their_fid(inputs: Inputs) -> Values:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    fake, real = (fid_features_to_statistics(rows) for rows in (inputs.fake, inputs.real))
    return {"fid": fid_statistics_to_metric(fake, real, False)[KEY_METRIC_FID]}


def their_full(inputs: Inputs) -> Values:
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    pair = inputs.fake, inputs.real
    kid = kid_features_to_metric(*pair, kid_subset_size=subset_size(inputs), verbose=False)
    near = prc_features_to_metric(*pair, verbose=False)
    return their_fid(inputs) | {
        "is": isc_features_to_metric(inputs.logits)[KEY_METRIC_ISC_MEAN],
        "kid": kid[KEY_METRIC_KID_MEAN],
        "precision": near[KEY_METRIC_PRECISION],
        "recall": near[KEY_METRIC_RECALL],
    }


def sqrtm_fid(inputs: Inputs) -> Values:
    """pytorch-fid from float64 moments; where it is not installed, its formula: a dense root, 1e-6 I if that fails."""
    import scipy.linalg

    means, covariances = [], []
    for rows in inputs.real, inputs.fake:
        wide = rows.numpy().astype(np.float64)
        means.append(wide.mean(axis=0))
        covariances.append(np.cov(wide, rowvar=False))
    if calculate_frechet_distance is not None:
        return {"fid": float(calculate_frechet_distance(means[0], covariances[0], means[1], covariances[1]))}
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    if not np.isfinite(root).all():
        ridge = 1e-6 * np.eye(len(root))
        root = scipy.linalg.sqrtm((covariances[0] + ridge) @ (covariances[1] + ridge))
    shift = means[0] - means[1]
    return {"fid": float(shift @ shift + np.trace(covariances[0] + covariances[1]) - 2 * np.trace(root.real))}


def their_prdc(inputs: Inputs) -> Values:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        scores = compute_prdc(inputs.real.numpy(), inputs.fake.numpy(), nearest_k=5)
    return {name: float(score) for name, score in scores.items()}


def moments(inputs: Inputs) -> Values:
    streamed = Moments()
    for batch in inputs.fake.split(1000):
        streamed.add(batch)
    return {"n": float(streamed.gaussian().n)}


TORCH_FIDELITY, PRDC = "torch-fidelity", "prdc (asks for 8 jobs)"
SQRTM = "pytorch-fid" if calculate_frechet_distance is not None else "sqrtm route, as in pytorch-fid"
RIVALS: dict[str, dict[str, Run]] = {
    "full": {"ganbench": our_full, TORCH_FIDELITY: their_full},
    "fid": {"ganbench": our_fid, TORCH_FIDELITY: their_fid, SQRTM: sqrtm_fid},
    "prdc": {"ganbench": our_prdc, PRDC: their_prdc},
}
SCALING: dict[str, Run] = {
    "frechet_distance": our_fid,
    "frechet_distance_infinity": lambda i: {"": frechet_distance_infinity(i.real, i.fake)},
    "Moments, batches of 1000": moments,
    "inception_score": lambda i: {"": inception_score(i.logits.softmax(dim=1))[0]},
    "kernel_distance": lambda i: {"": kernel_distance(i.real, i.fake, subset_size=subset_size(i))[0]},
    "kernel_distance_exact": lambda i: {"": kernel_distance_exact(i.real, i.fake)},
    "rbf_kernel_distance": lambda i: {"": rbf_kernel_distance(i.real, i.fake)},
    "precision_recall": lambda i: {"": precision_recall(i.real, i.fake)[0]},
    "density_coverage": lambda i: {"": density_coverage(i.real, i.fake)[0]},
    "authenticity": lambda i: {"": authenticity(i.real, i.fake)},
    # Half of the real set is what the model never saw.
    "data_copying": lambda i: {"": data_copying(i.real[::2], i.real[1::2], i.fake)},
    "vendi_score": lambda i: {"": vendi_score(i.fake)},
}


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
