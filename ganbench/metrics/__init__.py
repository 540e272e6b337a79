"""Metrics: pure functions of NumPy arrays or tensors on any device, which return Python floats.

They raise ValueError, in one line that says what, where and what to do, rather than return NaN.
"""

from ganbench.metrics._pairwise.api import PairReference, PairScores
from ganbench.metrics._pairwise.kernel_sums import Subsets
from ganbench.metrics.authenticity import authenticity
from ganbench.metrics.data_copying import data_copying
from ganbench.metrics.duplicates import DuplicateReference, duplicates
from ganbench.metrics.fid import FrechetReference, frechet_distance
from ganbench.metrics.fid_infinity import frechet_distance_infinity
from ganbench.metrics.fid_per_class import per_class_frechet_distance
from ganbench.metrics.inception_score import inception_score
from ganbench.metrics.jackknife import jackknife
from ganbench.metrics.kid import kernel_distance
from ganbench.metrics.mmd import kernel_distance_exact, rbf_kernel_distance
from ganbench.metrics.moments import Moments, load_gaussian, save_gaussian
from ganbench.metrics.prdc import density_coverage, precision_recall
from ganbench.metrics.spectrum import spectral_distance
from ganbench.metrics.vendi import vendi_score

__all__ = [
    "DuplicateReference",
    "FrechetReference",
    "Moments",
    "PairReference",
    "PairScores",
    "Subsets",
    "authenticity",
    "data_copying",
    "density_coverage",
    "duplicates",
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
    "spectral_distance",
    "vendi_score",
]
