"""All pairs of two float32 sets in one pass over the tiles of their products."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganbench.metrics._pairwise.error_bounds import Rounded, products
from ganbench.metrics._pairwise.kernel_sums import Half, KernelSums, Subsets, direct_sums, estimates, members
from ganbench.metrics._pairwise.knn_membership import Inside
from ganbench.metrics._pairwise.knn_radii import SPARE, Nearest, balls, by_column, by_row, squared_radii

LARGEST_BASE = 1e10
"""Kernels of larger bases are left to float64: a float32 sum of their cubes may overflow."""
ELEMENTWISE = 40
"""What cubing and adding up one kernel value costs, in operations of a matrix product."""


class Found(NamedTuple):
    """Who lies in whose ball; the kernel distance of each subset, (subsets,), and that of all pairs, ()."""

    inside: Inside | None
    spread: Tensor | None
    exact: Tensor | None


class Single:
    """A real set, rounded, with its radii and the sums of its kernel, each computed when first needed."""

    def __init__(self, real: Rounded, k_manifold: int, k_density: int) -> None:
        self.real = real
        self._k_manifold, self._k_density = k_manifold, k_density
        self._squares: dict[int, Tensor] = {}
        self._half: Half | None = None
        self._sums: dict[object, Tensor] = {}

    def compare(
        self, fake: Rounded, manifold: bool, density: bool, subsets: Subsets | None, exact: bool
    ) -> Found | None:
        """Return what is asked for; None where the kernel may not fit into float32."""
        halves = self._halves(fake) if subsets or exact else None
        if halves and max(half.largest for half in halves) > LARGEST_BASE:
            return None
        spread = None
        if halves and subsets and self._directly(fake, subsets, shared=manifold or density or exact):
            chosen = subsets.draw(self.real.n, fake.n, fake.norms.device)
            spread = estimates(direct_sums(self.real, fake, halves, chosen), subsets.size, subsets.size)
            subsets = None
        kernels = _Kernels(self.real, fake, halves, subsets, exact) if halves and (subsets or exact) else None
        inside = self._pass(fake, manifold, density, kernels)
        if kernels is None:
            return Found(inside, spread, None)
        values = kernels.estimates()
        return Found(inside, values[: subsets.count] if subsets else spread, values[-1] if exact else None)

    def _pass(self, fake: Rounded, manifold: bool, density: bool, kernels: _Kernels | None) -> Inside | None:
        if kernels is None and not (manifold or density):
            return None
        of_fake = within(fake, {self._k_manifold} if manifold else set(), kernels.fake if kernels else None)
        self._within_real(manifold, density, kernels)
        inside = None
        if manifold or density:
            inside = Inside(
                self.real.n,
                fake.n,
                balls(self.real, self._squares[self._k_manifold], closed=True) if manifold else None,
                balls(fake, of_fake[self._k_manifold], closed=True) if manifold else None,
                balls(self.real, self._squares[self._k_density], closed=False) if density else None,
            )
        for rows, columns, tile in products(self.real, fake):
            if kernels is not None:
                kernels.across.take(rows, columns, tile)
            if inside is not None:
                inside.take_rounded(self.real, fake, rows, columns, tile)
        return inside

    def _within_real(self, manifold: bool, density: bool, kernels: _Kernels | None) -> None:
        """Compute what is not known of the real set."""
        known = kernels is None or kernels.name in self._sums
        wanted = (self._k_manifold,) * manifold + (self._k_density,) * density
        missing = set(wanted) - self._squares.keys()
        if missing or not known:
            self._squares |= within(self.real, missing, None if known or kernels is None else kernels.real)
        if kernels is not None and not known:
            self._sums = {kernels.name: kernels.real.sums}
        if kernels is not None:
            kernels.real.sums = self._sums[kernels.name]

    def _halves(self, fake: Rounded) -> tuple[Half, Half]:
        self._half = self._half or Half(self.real)
        return self._half, Half(fake)

    def _directly(self, fake: Rounded, subsets: Subsets, *, shared: bool) -> bool:
        """Tell whether subsets cost less one by one than in a pass over all pairs, which `shared` makes anyway."""
        products_of_one = 2 * fake.d + ELEMENTWISE
        direct = subsets.count * 3 * subsets.size**2 * products_of_one
        pairs = self.real.n**2 / 2 + fake.n**2 / 2 + self.real.n * fake.n
        return direct < pairs * (2 * subsets.count + (ELEMENTWISE if shared else products_of_one))


class _Kernels:
    """The kernel sums of two sets, within and across, for each subset and then, if asked for, for all pairs."""

    def __init__(
        self, real: Rounded, fake: Rounded, halves: tuple[Half, Half], subsets: Subsets | None, exact: bool
    ) -> None:
        device = real.norms.device
        chosen = subsets.draw(real.n, fake.n, device) if subsets else (None, None)
        mine, others = (members(at, n, device, everyone=exact) for at, n in zip(chosen, (real.n, fake.n), strict=True))
        self.real = KernelSums(halves[0], halves[0], mine, mine)
        self.fake = KernelSums(halves[1], halves[1], others, others)
        self.across = KernelSums(*halves, mine, others)
        self.name = (subsets, fake.n if subsets else 0, exact)
        """Two kernels of one name have the same sums within the real set."""
        self._sizes = mine.sum(dim=0, dtype=torch.float64), others.sum(dim=0, dtype=torch.float64)

    def estimates(self) -> Tensor:
        return estimates((self.real.sums, self.fake.sums, self.across.sums), *self._sizes)


def within(points: Rounded, ks: set[int], sums: KernelSums | None = None) -> dict[int, Tensor]:
    """Return the squared radii of a set for each k, and add up its kernel, in one pass over its pairs."""
    if not ks and sums is None:
        return {}
    near = Nearest(points, max(ks) + SPARE) if ks else None
    for rows, columns, tile in products(points, points):
        if sums is not None:
            sums.take(rows, columns, tile)
        if near is not None and rows == columns:
            near.take(rows, by_row(tile.fill_diagonal_(-torch.inf)), columns.start)
        elif near is not None:
            near.take(rows, by_row(tile), columns.start)
            near.take(columns, by_column(tile), rows.start)
    return {} if near is None else dict(zip(sorted(ks), squared_radii(points, near, sorted(ks)), strict=True))
