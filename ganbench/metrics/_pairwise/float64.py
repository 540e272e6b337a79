"""All pairs of two sets in float64: what `single` falls back to, and the way of all that is not float32."""

from __future__ import annotations

from torch import Tensor

from ganbench.metrics._pairwise import knn as neighbours
from ganbench.metrics._pairwise.float32 import Found
from ganbench.metrics._pairwise.kernel_sums import Subsets, estimates, polynomial, squared_mmd, wide_sums
from ganbench.metrics._pairwise.knn import centred
from ganbench.metrics._pairwise.knn_membership import Inside
from ganbench.metrics._pairwise.knn_radii import Balls


class Wide:
    """A real set, (n, d) float64, with its radii, each computed when first needed."""

    def __init__(self, real: Tensor, k_manifold: int, k_density: int) -> None:
        self.real = real
        self._k_manifold, self._k_density = k_manifold, k_density
        self._radii: dict[int, tuple[Tensor, Tensor]] = {}

    def compare(self, fake: Tensor, manifold: bool, density: bool, subsets: Subsets | None, exact: bool) -> Found:
        """Return what is asked for of an (m, d) float64 set."""
        spread = None
        if subsets:
            chosen = subsets.draw(len(self.real), len(fake), fake.device)
            spread = estimates(wide_sums(self.real, fake, chosen), subsets.size, subsets.size)
        everyone = squared_mmd(self.real, fake, polynomial) if exact else None
        return Found(self._inside(fake, manifold, density) if manifold or density else None, spread, everyone)

    def _inside(self, fake: Tensor, manifold: bool, density: bool) -> Inside:
        x, y = centred(self.real, fake)
        inside = Inside(
            len(x),
            len(y),
            self._balls(x, self._k_manifold, closed=True) if manifold else None,
            _balls(neighbours.squared_radii(y, self._k_manifold), closed=True) if manifold else None,
            self._balls(x, self._k_density, closed=False) if density else None,
        )
        for rows, columns, distances in neighbours.tiles(x, y):
            inside.take(rows, columns, distances)
        return inside

    def _balls(self, x: Tensor, k: int, *, closed: bool) -> Balls:
        if k not in self._radii:
            self._radii[k] = neighbours.squared_radii(x, k)
        return _balls(self._radii[k], closed=closed)


def _balls(radii: tuple[Tensor, Tensor], *, closed: bool) -> Balls:
    squares, margin = radii
    edges = squares + margin if closed else squares - margin
    return Balls(edges, edges, edges)  # float64 decides by edges alone
