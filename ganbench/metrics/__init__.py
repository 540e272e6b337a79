"""Metrics: pure functions of NumPy arrays or tensors on any device, which return Python floats.

They raise ValueError, in one line that says what, where and what to do, rather than return NaN.

Names are loaded when first used: describing a metric (`ganbench.metrics.base`) needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_MODULES = {
    "FrechetReference": "ganbench.metrics.fid",
    "Moments": "ganbench.metrics.moments",
    "PairReference": "ganbench.metrics._pairwise.api",
    "PairScores": "ganbench.metrics._pairwise.api",
    "Subsets": "ganbench.metrics._pairwise.kernel_sums",
    "authenticity": "ganbench.metrics.authenticity",
    "data_copying": "ganbench.metrics.data_copying",
    "density_coverage": "ganbench.metrics.prdc",
    "frechet_distance": "ganbench.metrics.fid",
    "frechet_distance_infinity": "ganbench.metrics.fid_infinity",
    "inception_score": "ganbench.metrics.inception_score",
    "jackknife": "ganbench.metrics.jackknife",
    "kernel_distance": "ganbench.metrics.kid",
    "kernel_distance_exact": "ganbench.metrics.mmd",
    "load_gaussian": "ganbench.metrics.moments",
    "per_class_frechet_distance": "ganbench.metrics.fid_per_class",
    "precision_recall": "ganbench.metrics.prdc",
    "rbf_kernel_distance": "ganbench.metrics.mmd",
    "save_gaussian": "ganbench.metrics.moments",
    "vendi_score": "ganbench.metrics.vendi",
}

__all__ = [
    "FrechetReference",
    "Moments",
    "PairReference",
    "PairScores",
    "Subsets",
    "authenticity",
    "data_copying",
    "density_coverage",
    "frechet_distance",
    "frechet_distance_infinity",
    "inception_score",
    "jackknife",
    "kernel_distance",
    "kernel_distance_exact",
    "load_gaussian",
    "per_class_frechet_distance",
    "precision_recall",
    "rbf_kernel_distance",
    "save_gaussian",
    "vendi_score",
]

if TYPE_CHECKING:
    from ganbench.metrics._pairwise.api import PairReference, PairScores
    from ganbench.metrics._pairwise.kernel_sums import Subsets
    from ganbench.metrics.authenticity import authenticity
    from ganbench.metrics.data_copying import data_copying
    from ganbench.metrics.fid import FrechetReference, frechet_distance
    from ganbench.metrics.fid_infinity import frechet_distance_infinity
    from ganbench.metrics.fid_per_class import per_class_frechet_distance
    from ganbench.metrics.inception_score import inception_score
    from ganbench.metrics.jackknife import jackknife
    from ganbench.metrics.kid import kernel_distance
    from ganbench.metrics.mmd import kernel_distance_exact, rbf_kernel_distance
    from ganbench.metrics.moments import Moments, load_gaussian, save_gaussian
    from ganbench.metrics.prdc import density_coverage, precision_recall
    from ganbench.metrics.vendi import vendi_score


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'ganbench.metrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
