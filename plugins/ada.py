"""Adaptive discriminator augmentation: Karras et al. 2020 (arXiv:2006.06676).

Every image that the discriminator sees, real or generated, is transformed at random: each transformation is applied
with probability p. p rises while the discriminator is too sure of real images, which is a sign that it learns them by
heart, and falls while it is not. What differs from the paper: there are fewer transformations (flips only where asked
for, small shifts, scales and rotations in place of all rotations, brightness and contrast; no anisotropic scaling,
no hue, saturation, filters or noise), they are interpolated bilinearly without an anti-aliasing filter, and p stays
below 0.8, above which the paper finds that augmentations leak into generated images.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHIFT = 0.125
"""Largest shift, as a share of each side."""
ROTATION = math.pi / 12
"""Largest rotation."""
SCALE = 0.2
"""Standard deviation of the logarithm of the scale, to base 2."""
BRIGHTNESS = 0.2
"""Standard deviation of what is added to each value."""
CONTRAST = 0.5
"""Standard deviation of the logarithm of the contrast, to base 2."""
LIMIT = 0.8
"""The largest probability."""


class AdaptiveAugmentation(nn.Module):
    """Augments images, float (n, C, H, W) in [-1, 1], and adapts the probability of doing so.

    `probability` is where p starts. `observe` is told the discriminator's outputs on real images; every `interval`
    calls p moves by one step, up where the mean of their signs exceeds `target`, else down, so that it goes from 0 to 1
    within `kimg` thousand images at the fastest. A `target` of 0 keeps p fixed.
    """

    probability: Tensor
    signs: Tensor

    def __init__(
        self,
        probability: float = 0.0,
        target: float = 0.6,
        *,
        kimg: float = 20.0,
        interval: int = 4,
        flips: bool = False,
    ) -> None:
        super().__init__()
        self.target, self.kimg, self.interval, self.flips = target, kimg, interval, flips
        self.register_buffer("probability", torch.tensor(float(probability)))
        self.register_buffer("signs", torch.zeros(()))
        self.off = probability == target == 0
        self.calls = self.seen = 0

    @torch.no_grad()
    def observe(self, outputs: Tensor) -> None:
        """Take note of the discriminator's outputs on a batch of (augmented) real images, (n, 1)."""
        if self.target == 0:
            return
        self.signs += outputs.float().sign().sum()
        self.seen += len(outputs)
        self.calls += 1
        if self.calls % self.interval == 0:
            step = self.seen / (1000 * self.kimg)
            sure = torch.sign(self.signs / self.seen - self.target)
            self.probability.add_(step * sure).clamp_(0, LIMIT)
            self.signs.zero_()
            self.seen = 0

    def forward(self, images: Tensor) -> Tensor:
        return images if self.off else self.recolour(self.move(images.float()))

    def move(self, images: Tensor) -> Tensor:
        """Flip, shift, scale and rotate each image about its centre; what lies beyond the border is mirrored."""
        n, _, height, width = images.shape
        flip = 1 - 2 * self.applied(images, (self.uniform(images) > 0).float()) if self.flips else 1.0
        shift_x = self.applied(images, self.uniform(images) * 2 * SHIFT)
        shift_y = self.applied(images, self.uniform(images) * 2 * SHIFT)
        scale = torch.exp2(self.applied(images, self.normal(images) * SCALE))
        angle = self.applied(images, self.uniform(images) * ROTATION)
        cosine, sine = scale * angle.cos(), scale * angle.sin()
        # Coordinates run from -1 to 1 along each side, and are brought to the same unit while they are rotated.
        x = _centres(width, images)[None, None, :]
        y = _centres(height, images)[None, :, None]
        aspect = height / width
        column = _each(flip * cosine) * x - _each(flip * sine) * aspect * y + _each(shift_x)
        row = _each(sine) / aspect * x + _each(cosine) * y + _each(shift_y)
        grid = torch.stack([column.expand(n, height, width), row.expand(n, height, width)], -1)
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def recolour(self, images: Tensor) -> Tensor:
        """Change each image's brightness, then its contrast about mid-grey."""
        brightness = self.applied(images, self.normal(images) * BRIGHTNESS)
        contrast = torch.exp2(self.applied(images, self.normal(images) * CONTRAST))
        return (images + brightness[:, None, None, None]) * contrast[:, None, None, None]

    def applied(self, images: Tensor, amounts: Tensor) -> Tensor:
        """Return an amount (n,) for each image: that given, with probability p, or 0."""
        return amounts * (torch.rand(len(images), device=images.device) < self.probability)

    def uniform(self, images: Tensor) -> Tensor:
        return torch.rand(len(images), device=images.device) * 2 - 1

    def normal(self, images: Tensor) -> Tensor:
        return torch.randn(len(images), device=images.device)


def _centres(length: int, like: Tensor) -> Tensor:
    """Return where the centres of pixels lie between -1 and 1."""
    return (torch.arange(length, device=like.device, dtype=like.dtype) * 2 + 1) / length - 1


def _each(values: Tensor | float) -> Tensor | float:
    return values[:, None, None] if isinstance(values, Tensor) else values
