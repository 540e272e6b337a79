"""Does a generator return its training images? (Alaa et al. 2022, arXiv 2102.08921)"""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.metrics._pairwise.error_bounds import Rounded, as_given, may_round, same_width
from ganbench.metrics._pairwise.float32 import within
from ganbench.metrics._pairwise.knn import centred, nearest, squared_radii
from ganbench.metrics._pairwise.knn_radii import balls
from ganbench.metrics._pairwise.knn_radii import nearest as nearest_rounded
from ganbench.metrics.validation import Array


def authenticity(train: Array, fake: Array) -> float:
    """Return the share of fakes that are no near-copies of a training image, in [0, 1]; higher is better.

    `train` is (n, d), `fake` (m, d). A fake is authentic where it is further from its nearest training image x*
    than x* is from the training image nearest to it, so copies give exactly 0 and fakes far from everything 1: read
    it beside a metric of quality. Fresh draws from the data's own distribution do not reach 1: they score 1/3 in one
    dimension and more in many, so held-out images scored the same way give the value to compare with.

    A distance that equals x*'s but for rounding does not count as further, nor does any below about 1e-6 of the
    features' norm. Where x* has a duplicate in `train`, every fake that is not a copy of it is authentic.

    Raises ValueError where either set has fewer than 2 rows, widths differ, or a value is not finite.
    Source: Alaa et al. 2022, arXiv 2102.08921.
    """
    return Originals(train).authenticity(fake)


class Originals:
    """Training features, (n, d), with their distances to each other computed once: what every `authenticity` needs.

    Products of float32 features are float32; what lies within their rounding is computed again (balls.py).
    """

    def __init__(self, train: Array) -> None:
        self._train = as_given("train", train)
        self._rounded: tuple[Rounded, Tensor] | None = None
        self._wide_edges: Tensor | None = None

    def authenticity(self, fake: Array) -> float:
        """Return what the function `authenticity` returns."""
        given = as_given("fake", fake).to(self._train.device)
        same_width("train", self._train, "fake", given)
        if may_round(self._train, given):
            points, edges = self._rounded = self._rounded or _rounded_edges(self._train)
            other = points.beside(given)
            if other is not None:
                return _further(*nearest_rounded(other, points), edges)
        x, y = centred(self._train.double(), given.double())
        if self._wide_edges is None:
            self._wide_edges = torch.add(*squared_radii(x, 1))
        return _further(*nearest(y, x), self._wide_edges)


def _rounded_edges(train: Tensor) -> tuple[Rounded, Tensor]:
    points = Rounded.reference(train)
    return points, balls(points, within(points, {1})[1], closed=True).edges


def _further(distances: Tensor, index: Tensor, edges: Tensor) -> float:
    return (distances > edges[index]).double().mean().item()
