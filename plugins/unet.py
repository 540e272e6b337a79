"""Networks that are told the time: a small U-Net for images, a perceptron for points; diffusion and flow models use it.

The U-Net (arXiv:1505.04597) is that of DDPM (arXiv:2006.11239) made small enough for one CPU core: no convolution at
the image's full size but the first and the last, which halve and double it; residual blocks with group normalisation,
SiLU and the time's embedding at a half and a quarter of each side; one skip connection a size; no attention, no
dropout. What is learned of noise is the input itself but for a factor, so both networks add to their output the input
times a number that the time's embedding decides. The perceptron sees sines and cosines of the coordinates too
(arXiv:2006.10739), since modes are narrow.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganbench import DataSpec
from ganbench_plugins.layers import perceptron, quarter

GROUPS = 4
FREQUENCIES = 16


class TimeEmbedding(nn.Module):
    """Sines and cosines of times (n,) in [0, 1], of periods from 2 pi down to 2 pi / 1000: (n, 2 * FREQUENCIES)."""

    def forward(self, time: Tensor) -> Tensor:
        exponent = torch.linspace(0, math.log(1000), FREQUENCIES, device=time.device)
        angles = time[:, None] * exponent.exp()
        return torch.cat([angles.sin(), angles.cos()], 1)


class Residual(nn.Module):
    """Two convolutions around which the input goes; the time's embedding (n, `hidden`) is added in between."""

    def __init__(self, channels_in: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(GROUPS, channels_in), nn.SiLU(), conv(channels_in, channels))
        self.time = nn.Linear(hidden, channels)
        self.second = nn.Sequential(nn.GroupNorm(GROUPS, channels), nn.SiLU(), zero(conv(channels, channels)))
        self.around = nn.Conv2d(channels_in, channels, 1) if channels_in != channels else nn.Identity()

    def forward(self, images: Tensor, time: Tensor) -> Tensor:
        inner = self.first(images) + self.time(time)[:, :, None, None]
        return self.around(images) + self.second(inner)  # type: ignore[no-any-return]


class UNet(nn.Module):
    """From images (n, C, H, W), times (n,) to images; `width` channels at half the sides, twice that at a quarter."""

    def __init__(self, data: DataSpec, width: int, blocks: int = 1) -> None:
        super().__init__()
        quarter(data)
        channels, w, hidden = data.shape[0], width, 4 * width
        self.time = nn.Sequential(
            TimeEmbedding(), *perceptron(2 * FREQUENCIES, hidden, hidden, activation=nn.SiLU), nn.SiLU()
        )
        self.enter = nn.Conv2d(channels, w, 4, 2, 1)
        self.down = nn.ModuleList([Residual(w, w, hidden) for _ in range(blocks)])
        self.shrink = nn.Conv2d(w, 2 * w, 4, 2, 1)
        self.middle = nn.ModuleList([Residual(2 * w, 2 * w, hidden) for _ in range(2 * blocks)])
        self.grow = nn.ConvTranspose2d(2 * w, w, 4, 2, 1)
        self.up = nn.ModuleList([Residual(2 * w if i == 0 else w, w, hidden) for i in range(blocks)])
        self.leave = nn.Sequential(nn.GroupNorm(GROUPS, w), nn.SiLU(), zero(nn.ConvTranspose2d(w, channels, 4, 2, 1)))

        self.scale = zero(nn.Linear(hidden, 1))
        self.to(memory_format=torch.channels_last)  # faster on CPUs

    def forward(self, images: Tensor, time: Tensor) -> Tensor:
        embedding = self.time(time)
        half = self.enter(images)
        for block in self.down:
            half = block(half, embedding)
        small = self.shrink(half)
        for block in self.middle:
            small = block(small, embedding)
        half = torch.cat([half, self.grow(small)], 1)
        for block in self.up:
            half = block(half, embedding)
        return self.leave(half) + each(self.scale(embedding), images) * images


class TimePerceptron(nn.Module):
    """From points (n, D) and times (n,) to points."""

    OCTAVES = 6

    def __init__(self, data: DataSpec, hidden: int) -> None:
        super().__init__()
        (size,) = data.shape
        self.time, times = TimeEmbedding(), 2 * FREQUENCIES
        inputs = size * (1 + 2 * self.OCTAVES) + times
        self.layers = nn.Sequential(*perceptron(inputs, hidden, hidden, hidden, size, activation=nn.SiLU))
        self.scale = nn.Sequential(nn.Linear(times, hidden), nn.SiLU(), zero(nn.Linear(hidden, 1)))

    def forward(self, points: Tensor, time: Tensor) -> Tensor:
        embedding = self.time(time)
        angles = [points * math.pi * 2**octave for octave in range(self.OCTAVES)]
        waves = [wave(angle) for angle in angles for wave in (torch.sin, torch.cos)]
        return self.layers(torch.cat([points, *waves, embedding], 1)) + self.scale(embedding) * points


def denoiser(data: DataSpec, width: int, hidden: int) -> nn.Module:
    """Return a network from (n, *shape) and times (n,) to (n, *shape)."""
    return TimePerceptron(data, hidden) if len(data.shape) == 1 else UNet(data, width)


def conv(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, 1, 1)


def zero(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear) -> nn.Module:
    """Start a layer at 0, so that what it ends starts as the identity, or as 0."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def each(values: Tensor, images: Tensor) -> Tensor:
    """Return values (n,) in the form (n, 1, ...) in which they multiply images (n, ...)."""
    return values.view(-1, *[1] * (images.ndim - 1))
