"""Bytes to floats."""

from __future__ import annotations

import torch

from ganbench.data.pixels import to_float


def test_pixels_become_floats_as_ever() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_float(pixels), pixels.float().div_(127.5).sub_(1.0))
