"""Metrics that ask who lies near whom, and the kernel distance, from all pairs of rows, in float64.

Decision: there is no float32 engine. One of 580 lines, which multiplied in float32 and computed again in float64 what
lay within the rounding bound, was removed: it is less than twice as fast as this path. Core-seconds for all of
`PairScores` but subsets, one thread, median [range], float32 engine against this: n = 1,000, d = 128, of a scoring that
takes 1.8 s: 0.028 [0.026, 0.030] against 0.025 [0.023, 0.027] (7 runs); n = 10,000, d = 128: 1.38 [1.33, 1.38] against
2.29 [2.21, 2.46] (3 runs). Small tiles, and one product for both distances and kernels, made the difference.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ganbench.metrics._pairwise import knn
from ganbench.metrics._pairwise.kernel_sums import KernelSum, Subsets, estimates, subset_sums
from ganbench.metrics._pairwise.knn import margins, nearest_others
from ganbench.metrics._pairwise.knn_membership import Membership
from ganbench.metrics.validation import Array, as_given, at_least, enough, same_width


class PairScores(NamedTuple):
    """What one pass over pairs gives; None for what was not asked for.

    `kid` and `kid_sd` are mean and deviation over subsets, `kid_exact` is the estimate from all pairs.
    """

    precision: float | None = None
    recall: float | None = None
    density: float | None = None
    coverage: float | None = None
    kid: float | None = None
    kid_sd: float | None = None
    kid_exact: float | None = None


class _RealPairs(NamedTuple):
    """What depends on the real set alone: its nearest squared distances, (n, k), and the sum of its kernel."""

    nearest: Tensor
    kernel: Tensor


class PairReference:
    """A real set, (n, d), and what depends on it alone: radii, and the sum of its kernel, computed when first needed.

    Keeps the features it was given, which must not change, and a centred float64 copy of them.
    """

    def __init__(self, real: Array, *, k_manifold: int = 3, k_density: int = 5) -> None:
        """`k_manifold` is the k of precision and recall, `k_density` that of density and coverage.

        Raises ValueError where a k is below 1, or `real` has fewer than 2 rows or a value that is not finite.
        """
        at_least("k", min(k_manifold, k_density), 1)
        self._given = as_given("real", real)
        self._k_manifold, self._k_density = k_manifold, k_density
        wide = self._given.double()
        self._mean = wide.mean(dim=0)
        self._real = wide - self._mean
        self._pairs: _RealPairs | None = None

    def compare(
        self,
        fake: Array,
        *,
        manifold: bool = True,
        density: bool = True,
        subsets: Subsets | None = None,
        exact: bool = False,
    ) -> PairScores:
        """Return the scores of a fake set, (m, d), that are asked for, each as its own function defines it.

        `manifold` asks for precision and recall (`precision_recall`), `density` for density and coverage
        (`density_coverage`), `subsets` for the kernel distance over such subsets (`kernel_distance`), `exact` for
        the one from all pairs (`kernel_distance_exact`).

        Takes O((n + m)^2 d) time and, beyond the features, float64 copies of them and some 200 MiB.

        Raises ValueError where `real` has no more rows than a k that is asked for, `fake` likewise for `manifold`,
        either fewer than a subset, widths differ, or a value is not finite.
        """
        given = self._checked(fake, manifold, density, subsets)
        scores = PairScores()
        if subsets is not None:
            chosen = subsets.draw(len(self._given), len(given), given.device)
            sums = subset_sums(self._given.double(), given.double(), chosen)
            spread = estimates(sums, subsets.size, subsets.size).cpu().numpy()
            scores = scores._replace(kid=float(spread.mean()), kid_sd=float(spread.std()))
        return self._all_pairs(given, manifold, density, exact, scores) if manifold or density or exact else scores

    def _all_pairs(self, given: Tensor, manifold: bool, density: bool, exact: bool, scores: PairScores) -> PairScores:
        x, y = self._real, given.double() - self._mean
        real = self._pairs = self._pairs or self._real_pairs()
        fake_closed, within_fake = None, KernelSum(y, y, self._mean)
        if manifold:
            nearest = nearest_others(y, self._k_manifold, within_fake.add if exact else None)
            fake_closed = _edges(y, nearest[:, -1], closed=True)
        elif exact:
            for tile in knn.tiles(y, y):
                within_fake.add(*tile)
        members = Membership(
            len(x), len(y), _edges(x, real.nearest[:, self._k_manifold - 1], closed=True) if manifold else None,
            fake_closed, _edges(x, real.nearest[:, self._k_density - 1], closed=False) if density else None, x.device,
        )  # fmt: skip
        across = KernelSum(x, y, self._mean)
        for rows, columns, squares in knn.tiles(x, y):
            members.add(rows, columns, squares)
            if exact:
                across.add(rows, columns, squares)
        if manifold:
            scores = scores._replace(precision=_share(members.fake_in_real), recall=_share(members.real_in_fake))
        if density:
            held = members.pairs.item() / (self._k_density * len(given))
            scores = scores._replace(density=held, coverage=_share(members.covered))
        if exact:
            kid = estimates((real.kernel, within_fake.total, across.total), len(x), len(y))
            scores = scores._replace(kid_exact=float(kid))
        return scores

    def _real_pairs(self) -> _RealPairs:
        kernel = KernelSum(self._real, self._real, self._mean)
        k = min(max(self._k_manifold, self._k_density), len(self._real) - 1)
        return _RealPairs(nearest_others(self._real, k, kernel.add), kernel.total)

    def _checked(self, fake: Array, manifold: bool, density: bool, subsets: Subsets | None) -> Tensor:
        most = max(self._k_manifold * manifold, self._k_density * density)
        enough("real", len(self._given), most + 1)
        given = as_given("fake", fake, rows=self._k_manifold + 1 if manifold else 2).to(self._given.device)
        same_width("real", self._given, "fake", given)
        if subsets is not None:
            subsets.check(self._given, given)
        return given


def _edges(points: Tensor, squares: Tensor, *, closed: bool) -> Tensor:
    """Return the largest squared distances inside balls of squared radii (n,): closed ones hold their edge."""
    margin = margins(squares, points.square().sum(dim=1), points.shape[1])
    return squares + margin if closed else squares - margin


def _share(chosen: Tensor) -> float:
    return chosen.double().mean().item()
