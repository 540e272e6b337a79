"""Radii of nearest-neighbour balls and the pairs inside them, from float32 products: exactly those of float64.

Nothing is decided within the bound of rounded.py: such pairs are computed again, from float64 differences. The maxima
of groups of 32 rows or columns tell where anything near lies, so that a tile is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ganbench.metrics._pairwise.error_bounds import GROUP, Rounded, products
from ganbench.metrics._pairwise.knn import TILE, margins

SPARE = 7
"""Neighbours kept beyond the k-th, so that rounding decides none of the k: of ties there may be more (then float64)."""

FEW = 4096
"""Groups of a tile that are always looked into; beyond a quarter of all, float64 distances cost less."""


class Balls(NamedTuple):
    """Balls around rows: their edges, (n,) squared distances in float64 that are inside, with the margin of
    neighbours.py; and what float32 can tell: the least H that is certainly inside and the least that may be.
    """

    edges: Tensor
    sure: Tensor
    maybe: Tensor


class Groups(NamedTuple):
    """A tile seen from its rows or from its columns: a view (rows, 32, groups) and each group's maximum."""

    values: Tensor
    peaks: Tensor


def by_row(tile: Tensor) -> Groups:
    values = tile.view(len(tile), GROUP, -1)
    return Groups(values, values.amax(dim=1))


def by_column(tile: Tensor) -> Groups:
    values = tile.view(GROUP, -1, tile.shape[1])
    return Groups(values.permute(2, 0, 1), values.amax(dim=0).T)  # the maximum of the view is much slower


class Nearest:
    """The k largest H of each row of a set, and whose they are, from tiles in any order."""

    def __init__(self, points: Rounded, k: int) -> None:
        shape = len(points.rows), k
        self.best = torch.full(shape, -torch.inf, device=points.rows.device)
        self.index = torch.zeros(shape, dtype=torch.int64, device=points.rows.device)
        self.order = self.index
        """Positions in `index` by exact distance, once `squares` has computed it."""

    def take(self, rows: slice, tile: Groups, start: int) -> None:
        """Take in a tile, whose first other row is `start`."""
        k, (values, peaks) = self.best.shape[1], tile
        groups = peaks.shape[1]
        nearer = torch.nonzero(peaks.amax(dim=1) > self.best[rows, -1])[:, 0]
        if not len(nearer):
            return
        # The k largest values lie in the k groups with the largest maxima.
        at = peaks[nearer].topk(min(k, groups), dim=1, sorted=False).indices
        mine = nearer + rows.start
        found = torch.cat([self.best[mine], values[nearer[:, None], :, at].flatten(1)], dim=1)
        self.best[mine], place = found.topk(k, dim=1)
        fresh = (place - k).clamp(min=0)
        others = start + fresh % GROUP * groups + at.gather(1, fresh // GROUP)
        kept = self.index[mine].gather(1, place.clamp(max=k - 1))
        self.index[mine] = torch.where(place < k, kept, others)

    def squares(self, points: Rounded, others: Rounded, ks: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """Return for each k the exact squared distance to the k-th nearest, (n,), and which rows it is not known for.

        Those that may be the k-th are computed again; a row is not known where one that was not kept may be it.
        """
        best = self.best[: points.n].double()
        slack, bound = 4 * points.slack[:, None], 5 * points.bound
        least, most = (-best - slack) / (1 + bound), (-best + slack) / (1 - bound)
        close = torch.zeros_like(best, dtype=torch.bool)
        for k in ks:
            close |= (most >= least[:, k - 1 : k]) & (least <= most[:, k - 1 : k])
        unknown = close[:, -1]
        row, place = torch.nonzero(close & ~unknown[:, None], as_tuple=True)
        found = -2 * best
        found[row, place] = points.distances(row, others, self.index[row, place])
        found, self.order = found.sort(dim=1)
        return [found[:, k - 1] for k in ks], unknown.nonzero()[:, 0]

    def first(self) -> Tensor:
        """Return whose row is the nearest, (n,), once `squares` has computed it for k = 1."""
        return self.index[: len(self.order)].gather(1, self.order)[:, 0]


def squared_radii(points: Rounded, nearest: Nearest, ks: Sequence[int]) -> list[Tensor]:
    """Return the squared distance of each row to its k-th nearest other, (n,) float64, for each k."""
    squares, unknown = nearest.squares(points, points, ks)
    for part in unknown.split(TILE):
        for known, wide in zip(squares, _wide_squares(points, part, ks), strict=True):
            known[part] = wide
    return squares


def nearest(points: Rounded, references: Rounded) -> tuple[Tensor, Tensor]:
    """Return for each point the squared distance to its nearest reference, and that one's index, both (n,)."""
    near = Nearest(points, 1 + SPARE)
    for rows, columns, tile in products(points, references):
        near.take(rows, by_row(tile), columns.start)
    (squares,), unknown = near.squares(points, references, [1])
    index = near.first()
    for part in unknown.split(TILE):
        squares[part] = torch.inf
        for j in range(0, references.n, TILE):
            columns = slice(j, min(j + TILE, references.n))
            found, at = points.squares_to(references, part, columns).min(dim=1)
            index[part] = torch.where(found < squares[part], at + j, index[part])
            squares[part] = torch.minimum(found, squares[part])
    return squares, index


def balls(points: Rounded, squares: Tensor, *, closed: bool) -> Balls:
    """Return balls around each row: closed ones hold their edge, open ones do not."""
    margin = margins(squares, points.norms, points.d)
    return Balls(squares + margin if closed else squares - margin, points.sure(squares), points.maybe(squares))


def _wide_squares(points: Rounded, at: Tensor, ks: Sequence[int]) -> list[Tensor]:
    """Return what `Nearest.squares` does for some rows, from float64 products."""
    best = torch.full((len(at), max(ks)), torch.inf, dtype=torch.float64, device=at.device)
    for j in range(0, points.n, TILE):
        columns = slice(j, min(j + TILE, points.n))
        found = points.squares_to(points, at, columns)
        own = torch.nonzero((at >= columns.start) & (at < columns.stop))[:, 0]
        found[own, at[own] - j] = torch.inf  # a row is not its own neighbour
        best = torch.cat([best, found], dim=1).topk(max(ks), dim=1, largest=False).values
    return [best[:, k - 1] for k in ks]


class Pairs(NamedTuple):
    """Pairs that may lie in a ball: whose ball, who, and their H."""

    centre: Tensor
    other: Tensor
    value: Tensor


def pairs_within(tile: Groups, floors: Tensor, centres: int, others: int) -> Pairs | None:
    """Return the pairs of a tile whose H reaches the floor of its row; None where they are too many to be listed.

    `floors` has one value a row of it; `centres` and `others` tell where the tile begins.
    """
    peaks, groups = tile.peaks, tile.peaks.shape[1]
    row, group = torch.nonzero(peaks >= floors[:, None], as_tuple=True)
    if len(row) > max(peaks.numel() // 4, FEW):
        return None
    values = tile.values[row, :, group]
    hit, place = torch.nonzero(values >= floors[row, None], as_tuple=True)
    return Pairs(centres + row[hit], others + place * groups + group[hit], values[hit, place])


def inside(pairs: Pairs, balls: Balls, around: Rounded, others: Rounded) -> Tensor:
    """Return the positions in `pairs` of those in a ball, which are around rows of `around`."""
    held = pairs.value >= balls.sure[pairs.centre]
    doubtful = torch.nonzero(~held & (pairs.value >= balls.maybe[pairs.centre]))[:, 0]
    if len(doubtful):
        centre = pairs.centre[doubtful]
        held[doubtful] = around.distances(centre, others, pairs.other[doubtful]) <= balls.edges[centre]
    return torch.nonzero(held)[:, 0]
