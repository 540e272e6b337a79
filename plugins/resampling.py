"""Images at half and at twice their sides."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def halve(images: Tensor) -> Tensor:
    """Return the means of squares of 2x2 pixels; on a CPU this is faster than average pooling."""
    rows = images[:, :, ::2] + images[:, :, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]) / 4


def double(images: Tensor) -> Tensor:
    """Repeat each pixel in a square of 2x2."""
    return F.interpolate(images, scale_factor=2, mode="nearest")
