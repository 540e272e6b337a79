"""Distances between sets of features, tile by tile, for the metrics that ask who lies near whom.

Squared distances come from |a|^2 + |b|^2 - 2 a.b: a matrix product is much faster than differences, but leaves a
rounding error where differences have none. Two measures make that harmless. All is centred first and kept in float64,
so that features far from the origin lose nothing. And what is compared with a radius is compared with a margin that
bounds the error: a tie counts as a tie, and a copy as a copy, whatever the order of rows, the tile or the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

TILE = 512
"""Rows and columns of a tile: 2 MiB in float64, which stays in the cache between the product and what is taken from it
(2048 took 2.5 times as long on 10,000 rows of 128 features)."""


def centred(reference: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return two sets, (n, d) and (m, d), relative to the mean of the first."""
    mean = reference.mean(dim=0)
    return reference - mean, other - mean


def tiles(a: Tensor, b: Tensor) -> Iterator[tuple[slice, slice, Tensor]]:
    """Yield (rows of a, rows of b, their squared distances), which cover all pairs in O(TILE^2) memory.

    The caller may overwrite a tile.
    """
    norms_a, norms_b = a.square().sum(dim=1), b.square().sum(dim=1)
    for i in range(0, len(a), TILE):
        rows = slice(i, min(i + TILE, len(a)))
        for j in range(0, len(b), TILE):
            columns = slice(j, min(j + TILE, len(b)))
            distances = torch.addmm(norms_b[columns], a[rows], b[columns].T, alpha=-2)
            yield rows, columns, distances.add_(norms_a[rows, None]).clamp_(min=0)


def squared_radii(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the squared distance of each of (n, d) centred points to its k-th nearest other point, and its margin.

    Both are (n,). A squared distance to the point that equals its radius but for rounding differs from it by less
    than the margin. Other rows with equal values are other points, so duplicates have radius 0. Needs n > k.
    """
    radii = nearest_others(points, k)[:, -1]
    return radii, margins(radii, points.square().sum(dim=1), points.shape[1])


def nearest_others(points: Tensor, k: int, visit: Callable[[slice, slice, Tensor], None] | None = None) -> Tensor:
    """Return the squared distances of each of (n, d) centred points to its k nearest others, (n, k), in rising order.

    `visit` is called with every tile first, so that other sums over pairs need no products of their own; it must
    not change the tile. Needs n > k.
    """
    nearest_k = torch.full((len(points), k), torch.inf, dtype=points.dtype, device=points.device)
    for rows, columns, distances in tiles(points, points):
        if visit is not None:
            visit(rows, columns, distances)
        if rows == columns:
            distances.fill_diagonal_(torch.inf)  # a point is not its own neighbour
        found = distances.topk(min(k, distances.shape[1]), dim=1, largest=False).values
        nearest_k[rows] = torch.cat([nearest_k[rows], found], dim=1).topk(k, dim=1, largest=False).values
    return nearest_k


def margins(radii: Tensor, norms: Tensor, d: int) -> Tensor:
    """Return the margins of (n,) squared radii around rows of squared norm `norms`."""
    # The error of one squared distance is below (d + 4) eps (|a|^2 + |b|^2). Where b is about as far from a as the
    # radius, |b|^2 <= 2 (|a|^2 + radius); the bound holds for the distance and for the radius, hence twice 3.
    limits = torch.finfo(radii.dtype)
    return (6 * (d + 4) * limits.eps * (norms + radii)).clamp(min=limits.tiny)  # never 0: balls of radius 0 differ


def nearest(points: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each of (m, d) points the squared distance to its nearest reference, and that one's index."""
    best = torch.full((len(points),), torch.inf, dtype=points.dtype, device=points.device)
    index = torch.zeros(len(points), dtype=torch.int64, device=points.device)
    for rows, columns, distances in tiles(points, references):
        found, at = distances.min(dim=1)
        closer = found < best[rows]
        best[rows] = torch.where(closer, found, best[rows])
        index[rows] = torch.where(closer, at + columns.start, index[rows])
    return best, index
