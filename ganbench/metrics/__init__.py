"""Metrics: pure functions of NumPy arrays or tensors on any device, which return Python floats.

They raise ValueError, in one line that says what, where and what to do, rather than return NaN.
"""

from ganbench.metrics.frechet import frechet_distance
from ganbench.metrics.inception_score import inception_score
from ganbench.metrics.kernel import kernel_distance
from ganbench.metrics.memorisation import authenticity
from ganbench.metrics.precision_recall import density_coverage, precision_recall

__all__ = [
    "authenticity",
    "density_coverage",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
]
