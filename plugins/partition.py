"""What self-conditioning needs: a memory of the images seen, k-means, and labels that stay when clusters are redone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Memory(nn.Module):
    """The last `size` images seen, in a buffer, so that checkpoints hold them; images (C, H, W) as bytes."""

    images: Tensor

    def __init__(self, shape: tuple[int, ...], size: int) -> None:
        super().__init__()
        self.as_bytes = len(shape) == 3
        self.register_buffer("images", torch.zeros(size, *shape, dtype=torch.uint8 if self.as_bytes else torch.float32))
        self.count = 0

    @property
    def full(self) -> bool:
        return self.count >= len(self.images)

    def add(self, images: Tensor) -> None:
        """Keep images, float (n, *shape) in [-1, 1], in the place of the oldest."""
        size = len(self.images)
        place = (self.count + torch.arange(len(images), device=images.device))[-size:] % size
        self.images[place] = (to_bytes(images) if self.as_bytes else images)[-size:]
        self.count += len(images)

    def all(self) -> Tensor:
        """Return the images, float (n, *shape) in [-1, 1]."""
        images = self.images[: self.count]
        return images / 127.5 - 1 if self.as_bytes else images


def to_bytes(images: Tensor) -> Tensor:
    return ((images + 1) * 127.5).round().to(torch.uint8)


def nearest(points: Tensor, centres: Tensor) -> Tensor:
    """Return for each of the points (n, d) the index of the nearest of the centres (k, d), int64 (n,)."""
    return (centres.square().sum(1) - 2 * points @ centres.T).argmin(1)


def means(points: Tensor, clusters: Tensor, default: Tensor) -> Tensor:
    """Return the means of points (n, d) by cluster (n,); an empty cluster has its row of `default` (k, d)."""
    members = F.one_hot(clusters, len(default)).to(points)
    counts = members.sum(0)[:, None]
    return torch.where(counts > 0, members.T @ points / counts.clamp(min=1), default)


def lloyd(points: Tensor, centres: Tensor, steps: int = 50) -> Tensor:
    """Return the centres (k, d) that k-means reaches from `centres` in so many steps."""
    for _ in range(steps):
        centres = means(points, nearest(points, centres), centres)
    return centres


def spread_out(points: Tensor, k: int) -> Tensor:
    """Return k of the points, each drawn in proportion to its squared distance to those before (k-means++)."""
    chosen = points[torch.randint(len(points), (1,), device=points.device)]
    for _ in range(k - 1):
        distance = torch.cdist(points, chosen).amin(1).square() + 1e-12  # not 0: points may be fewer than k
        chosen = torch.cat([chosen, points[torch.multinomial(distance, 1)]])
    return chosen


def k_means(points: Tensor, k: int, restarts: int = 5) -> Tensor:
    """Return the best of several results of k-means, centres (k, d)."""
    found = [lloyd(points, spread_out(points, k)) for _ in range(restarts)]
    return min(found, key=lambda centres: float(torch.cdist(points, centres).amin(1).square().sum()))


def matched(centres: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return `centres` (k, d) in the order in which as many points as possible keep their label.

    `new` and `old` (n,) are the labels of the same points: by these centres, and before (the Hungarian method).
    """
    from scipy.optimize import linear_sum_assignment

    k = len(centres)
    overlap = torch.bincount(old * k + new, minlength=k * k).view(k, k)
    _, order = linear_sum_assignment(overlap.cpu().numpy(), maximize=True)
    return centres[torch.from_numpy(order).to(centres.device)]
