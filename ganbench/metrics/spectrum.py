"""Do samples have the fine detail of real images, or much more or less of it? Asked of pixels, not of an extractor."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.metrics.validation import Array, as_images

_SMALL = 1e-12
"""Power that is added everywhere, in squared grey levels of 1: images of one value have none at all."""


def spectral_distance(real: Array, fake: Array) -> float:
    """Return the largest difference of the mean spectra of real and fake images, in decades of power: 0 or above.

    Both are uint8, (n, C, H, W) and (m, C, H, W). Power is averaged over images, channels and all directions, for each
    count of waves along the shorter side from 1 to half of its pixels, as in arXiv 2003.01826 (Durall et al. 2020, who
    found that transposed convolutions leave a trace there). Blur has less of the high frequencies than real images,
    noise more: 1 is a factor of 10. What an image is like on average does not count, nor does its brightness.

    Raises ValueError where sizes differ, a set is empty or a side has fewer than 4 pixels.
    """
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(f"fake has images of shape {tuple(fake.shape[1:])}, real of {tuple(real.shape[1:])}")
    return float((log_spectrum(fake).cpu() - log_spectrum(real).cpu()).abs().max())


def log_spectrum(images: Array) -> Tensor:
    """Return log10 of the mean power of uint8 (n, C, H, W) images by waves along the shorter side, (side / 2,)."""
    given = as_images("images", images)
    (n, channels, height, width), device = given.shape, given.device
    most = min(height, width) // 2
    down, across = (torch.fft.fftfreq(side, device=device) * min(height, width) for side in (height, width))
    rings = torch.hypot(down[:, None], across[None, : width // 2 + 1].abs()).round().long()
    halves = torch.full((width // 2 + 1,), 2.0, device=device)  # rfft2 leaves out what mirrors the rest
    halves[0] = 1
    if width % 2 == 0:
        halves[-1] = 1
    power = torch.zeros(rings.shape, dtype=torch.float64, device=device)
    for part in given.split(500):
        power += torch.fft.rfft2(part.float() / 255).abs().square().sum(dim=(0, 1)).double()
    power *= halves / (n * channels * height * width)
    inside = rings <= most
    weights = halves.double().expand(rings.shape)[inside]
    sums, counts = (
        torch.zeros(most + 1, dtype=torch.float64, device=device).index_add(0, rings[inside], values)
        for values in (power[inside], weights)
    )
    return (sums / counts + _SMALL)[1:].log10()
