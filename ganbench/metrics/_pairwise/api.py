"""One pass over all pairs of rows, for every metric that asks who lies near whom and for the kernel distance.

Each tile of products is computed once: radii, balls and kernel sums are taken from it while it is in the cache.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ganbench.metrics._pairwise.error_bounds import Rounded, as_given, enough, may_round, same_width
from ganbench.metrics._pairwise.float32 import Found, Single
from ganbench.metrics._pairwise.float64 import Wide
from ganbench.metrics._pairwise.kernel_sums import Subsets
from ganbench.metrics.validation import Array, at_least


class PairScores(NamedTuple):
    """What one pass over pairs tells; None for what was not asked for.

    `kid` and `kid_sd` are mean and deviation over subsets, `kid_exact` is the estimate from all pairs.
    """

    precision: float | None = None
    recall: float | None = None
    density: float | None = None
    coverage: float | None = None
    kid: float | None = None
    kid_sd: float | None = None
    kid_exact: float | None = None


class PairReference:
    """A real set, (n, d), and what depends on it alone: radii, and sums of its kernel, computed when first needed.

    Keeps the features it was given, which must not change, and a centred copy of them.
    """

    def __init__(self, real: Array, *, k_manifold: int = 3, k_density: int = 5) -> None:
        """`k_manifold` is the k of precision and recall, `k_density` that of density and coverage.

        Raises ValueError where a k is below 1, or `real` has fewer than 2 rows or a value that is not finite.
        """
        at_least("k", min(k_manifold, k_density), 1)
        self._given = as_given("real", real)
        self._k_manifold, self._k_density = k_manifold, k_density
        self._single: Single | None = None
        self._wide: Wide | None = None

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

        Where both sets are float32, so are the products. What neighbours decide is as in float64: pairs within the
        rounding of an edge are computed again. `kernel_distance` states the error of kernel sums.
        Takes O((n + m)^2 d) time and, beyond the features, a copy of them and some 200 MiB.

        Raises ValueError where `real` has no more rows than a k that is asked for, `fake` likewise for `manifold`,
        either fewer than a subset, widths differ, or a value is not finite.
        """
        given = self._checked(fake, manifold, density, subsets)
        found = self._found(given, manifold, density, subsets, exact)
        scores = PairScores()
        if found.inside is not None and manifold:
            precision, recall = found.inside.precise, found.inside.recalled
            scores = scores._replace(precision=_share(precision), recall=_share(recall))
        if found.inside is not None and density:
            held = found.inside.held / (self._k_density * len(given))
            scores = scores._replace(density=held, coverage=_share(found.inside.covered))
        if found.spread is not None:
            spread = found.spread.cpu().numpy()
            scores = scores._replace(kid=float(spread.mean()), kid_sd=float(spread.std()))
        return scores if found.exact is None else scores._replace(kid_exact=float(found.exact))

    def _checked(self, fake: Array, manifold: bool, density: bool, subsets: Subsets | None) -> Tensor:
        most = max(self._k_manifold * manifold, self._k_density * density)
        enough("real", len(self._given), most + 1)
        given = as_given("fake", fake, rows=self._k_manifold + 1 if manifold else 2).to(self._given.device)
        same_width("real", self._given, "fake", given)
        if subsets is not None:
            subsets.check(self._given, given)
        return given

    def _found(self, given: Tensor, manifold: bool, density: bool, subsets: Subsets | None, exact: bool) -> Found:
        ks = self._k_manifold, self._k_density
        if may_round(self._given, given):
            self._single = self._single or Single(Rounded.reference(self._given), *ks)
            other = self._single.real.beside(given)
            found = self._single.compare(other, manifold, density, subsets, exact) if other else None
            if found is not None:
                return found
        self._wide = self._wide or Wide(self._given.double(), *ks)
        return self._wide.compare(given.double(), manifold, density, subsets, exact)


def _share(chosen: Tensor) -> float:
    return chosen.double().mean().item()
