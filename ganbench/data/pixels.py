"""Between what models compute with, floats in [-1, 1], and what images are made of, bytes."""

from __future__ import annotations

import torch
from torch import Tensor

TOLERANCE = 1e-3
"""How far beyond [-1, 1] a value may lie before it is an error and not rounding."""


def to_uint8(samples: Tensor) -> Tensor:
    """Map float [-1, 1] to uint8: clamp, scale, round half to even."""
    return samples.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


def to_float(images: Tensor) -> Tensor:
    """Return uint8 pixels as float in [-1, 1], and a copy of points, which are that already."""
    floats = images.to(torch.float32, copy=True)
    return floats if images.is_floating_point() else floats.div_(127.5).sub_(1.0)
