"""Which samples are near-copies of one real image, be they shifted, mirrored, dimmed or noisy? Asked of pixels alone.

A sample that is no copy has several nearest real images, about equally far. A copy has one that is far nearer than the
next: the ratio of both distances tells memorised samples of diffusion models (arXiv:2310.02664, where it is at most
1/3). Here real images that are known to be no copies say how small a ratio may be.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganbench.metrics.validation import Array, as_images

ERROR = 0.01
"""The share of images that are no copies whose ratio is called too small."""
LEAST_UNSEEN = 100
"""Images that are no copies: of fewer, one in a hundred says nothing."""
FREQUENCIES = 7
"""Waves across an image beyond which nothing is compared: noise lies there, and the shape of a thing does not."""
EDGE = 1 / 7
"""The share of the side, on each, over which images fade out, so that what a shift brings in matters little."""
REACH = 1 / 14
"""The largest shift that is tried, in sides: two pixels of 28. Steps are half as long."""
CANDIDATES = 8
"""Real images that a sample is compared with under all shifts."""
COPY = 1e-5
"""What is nearer than this is the same image but for rounding."""
_CELLS = 2**23
"""Pairs of images that are looked at together, which bounds memory."""


def duplicates(train: Array, unseen: Array, fake: Array) -> float:
    """Return the share of fakes that are nearer to one training image than 99 of 100 unseen real images are.

    All are uint8, (l, C, H, W), (n, C, H, W) and (m, C, H, W). The result lies in [0, 1], and is near 0.01 for fresh
    draws of the data's distribution. Nearer means: the squared distance to the nearest training image is a smaller part
    of that to the second nearest. A distance is 1 - r^2, with r the correlation of the grey pixels' waves of up to 7
    periods, at the best of 25 shifts by up to 1/14 of a side, mirrored or not. So neither a shift nor a mirror, neither
    brightness nor contrast nor some noise hides a copy; a rotation by more than some 10 degrees does.

    Where more than one unseen image of a hundred is itself a copy of a training image, nothing is nearer: 0.

    Raises ValueError where there are fewer than 2 training or 100 unseen images, no fake, or sizes differ.
    Source: the ratio from Gu et al. 2023, arXiv 2310.02664.
    """
    return DuplicateReference(train, unseen).share(fake)


class DuplicateReference:
    """Real images that samples may be copies of, and how near unseen ones come to them: computed once.

    `originals` are uint8 (n, C, H, W); `unseen` are others, or None: then each original is compared with all others.
    `threshold` is the ratio that is too small, for whoever has it from before.
    """

    def __init__(self, originals: Array, unseen: Array | None, *, threshold: float | None = None) -> None:
        kept = as_images("originals", originals, rows=LEAST_UNSEEN if unseen is None and threshold is None else 2)
        self._shape = tuple(kept.shape[1:])
        self._waves = torch.cat([waves(part) for part in kept.split(1024)])
        self._sizes = self._waves.abs().flatten(1)
        self._shifts = _shifts(self._shape[1], self._shape[2], kept.device)
        if threshold is None:
            shown = kept if unseen is None else as_images("unseen", unseen, rows=LEAST_UNSEEN)
            ratios = self.ratios(shown, same=unseen is None)
            threshold = float(ratios.sort().values[int(ERROR * len(ratios))])
        self.threshold = threshold

    def share(self, fake: Array) -> float:
        """Return what `duplicates` returns; the same errors."""
        return float((self.ratios(fake) < self.threshold).double().mean())

    def ratios(self, images: Array, *, same: bool = False) -> Tensor:
        """Return for each of uint8 (m, C, H, W) its distance to the nearest original over that to the second nearest.

        They lie in [0, 1]. With `same` the images are the originals themselves, and none is compared with itself.
        """
        given = as_images("images", images).to(self._waves.device)
        if tuple(given.shape[1:]) != self._shape:
            raise ValueError(f"images of shape {tuple(given.shape[1:])}: those to compare with have {self._shape}")
        rows = max(1, min(1024, _CELLS // len(self._sizes)))
        parts = enumerate(given.split(rows))
        return torch.cat([self._ratios(part, at * rows if same else None) for at, part in parts])

    def _ratios(self, images: Tensor, first: int | None) -> Tensor:
        """Return the ratios of some images; those from original `first` on are not compared with themselves."""
        mine = torch.stack([waves(images), waves(images.flip(-1))])  # the second mirrored
        # Whatever the shift, waves correlate no more than their sizes do.
        plain, mirrored = mine.abs().flatten(2) @ self._sizes.T
        bound = torch.maximum(plain, mirrored)
        if first is not None:
            bound[torch.arange(len(images)), torch.arange(first, first + len(images))] = -1
        chosen = bound.topk(min(CANDIDATES, bound.shape[1] - (first is not None)), dim=1).indices
        rows = torch.arange(len(images), device=images.device)[:, None]
        way = (mirrored.gather(1, chosen) > plain.gather(1, chosen)).long()
        products = mine[way, rows] * self._waves[chosen].conj()
        down, across = self._shifts
        correlation = (down @ (products @ across)).real.flatten(2).amax(dim=2).clamp(0, 1)
        distances = (1 - correlation.square()).sort(dim=1).values
        nearest, second = distances[:, 0], distances[:, min(1, distances.shape[1] - 1)]
        return torch.where(nearest < COPY, 0.0, nearest / second.clamp(min=COPY))


def waves(images: Tensor) -> Tensor:
    """Return the slow waves of images that were made grey and fade out at their edges: complex (n, U, V), of norm 1.

    0 where an image is flat.
    """
    height, width = images.shape[-2:]
    grey = images.float().mean(dim=1)
    grey = (grey - grey.mean(dim=(1, 2), keepdim=True)) * (_fading(height)[:, None] * _fading(width)).to(images.device)
    most_v = min(FREQUENCIES, (width - 1) // 2)
    # rfft2 leaves out half of the plane; its columns but the first stand for both halves.
    found: Tensor = torch.fft.rfft2(grey)[:, _rows(height), : most_v + 1]
    found[:, :, 1:] *= math.sqrt(2)
    norms = found.abs().square().sum(dim=(1, 2), keepdim=True).sqrt()
    return found / norms.clamp(min=1e-3)


def _rows(height: int) -> Tensor:
    """Return the rows of a transform that hold frequencies 0, 1, ..., -1."""
    most = min(FREQUENCIES, (height - 1) // 2)
    return torch.cat([torch.arange(most + 1), torch.arange(-most, 0)])


def _fading(side: int) -> Tensor:
    place = torch.arange(side) + 0.5
    return (torch.minimum(place, side - place) / max(1.0, EDGE * side)).clamp(max=1).mul(math.pi / 2).sin().square()


def _shifts(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return what moves waves (U, V) by every shift when multiplied from the left, (S, U), and the right, (V, S)."""
    moves = torch.linspace(-REACH, REACH, 5, dtype=torch.float64)
    down = _turns(moves[:, None] * _rows(height))
    across = _turns(torch.arange(min(FREQUENCIES, (width - 1) // 2) + 1)[:, None] * moves)
    return down.to(device), across.to(device)


def _turns(part: Tensor) -> Tensor:
    return torch.polar(torch.ones_like(part), 2 * math.pi * part).to(torch.complex64)
