"""Does a generator return its training images? (Alaa et al. 2022, arXiv 2102.08921)"""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.metrics._pairwise.knn import nearest, squared_radii
from ganbench.metrics.validation import Array, checked, same_width


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

    `edges`, (n,), are each row's squared distance to the nearest other, and what it may be off by: n x n distances, so
    that whoever has them from before hands them in.
    """

    def __init__(self, train: Array, edges: Tensor | None = None) -> None:
        wide = checked("train", train)
        self._mean = wide.mean(dim=0)
        self._train = wide - self._mean
        self.edges = torch.add(*squared_radii(self._train, 1)) if edges is None else edges

    def authenticity(self, fake: Array) -> float:
        """Return what the function `authenticity` returns."""
        rows = checked("fake", fake).to(self._mean.device)
        same_width("train", self._train, "fake", rows)
        distances, index = nearest(rows - self._mean, self._train)
        return (distances > self.edges[index]).double().mean().item()
