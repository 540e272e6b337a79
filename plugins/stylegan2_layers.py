"""Layers of StyleGAN2 (arXiv:1912.04958): equalised learning rates, modulated convolutions, minibatch deviations.

An equalised layer draws its weights from N(0, 1) and scales them when it is used, by He's constant: Adam, whose steps
do not depend on a weight's size, then changes all layers at the same relative rate (arXiv:1710.10196).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def leaky(values: Tensor) -> Tensor:
    """Leaky ReLU whose outputs keep their inputs' second moment, roughly."""
    return F.leaky_relu(values, 0.2) * math.sqrt(2)


class EqualLinear(nn.Module):
    """A linear layer; `rate` multiplies its learning rate, `bias` is where its biases start."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.rate, self.scale = rate, rate / math.sqrt(inputs)

    def forward(self, values: Tensor) -> Tensor:
        return F.linear(values, self.weight * self.scale, self.bias * self.rate)


class EqualConv2d(nn.Module):
    """A convolution; a `stride` of 1 keeps an image's sides."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.stride, self.padding = 1 / math.sqrt(inputs * kernel**2), stride, kernel // 2

    def forward(self, images: Tensor) -> Tensor:
        return F.conv2d(images, self.weight * self.scale, self.bias, self.stride, self.padding)


class ModulatedConv2d(nn.Module):
    """A convolution whose kernels the style scales, for each image and input channel.

    `demodulate` divides each image's kernels by their norm, one an output channel. Inputs are scaled in place of
    kernels, and outputs divided: the same numbers, by one convolution for all images.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, styles: int, *, demodulate: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.style = EqualLinear(styles, inputs, bias=1.0)
        self.scale, self.padding = 1 / math.sqrt(inputs * kernel**2), kernel // 2
        self.demodulate = demodulate

    def forward(self, images: Tensor, w: Tensor) -> Tensor:
        """Return (n, outputs, H, W) from (n, inputs, H, W) and styles (n, styles)."""
        style, weight = self.style(w), self.weight * self.scale
        images = F.conv2d(images * style[:, :, None, None], weight, padding=self.padding)
        if self.demodulate:
            squares = F.linear(style.square(), weight.square().sum((2, 3)))
            images = images * torch.rsqrt(squares + 1e-8)[:, :, None, None]
        return images


class StyledConv2d(nn.Module):
    """A modulated convolution, noise of a learned strength, a bias and an activation; `up` doubles the sides before."""

    def __init__(self, inputs: int, outputs: int, styles: int, *, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, outputs, 3, styles)
        self.noise = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.up = up

    def forward(self, images: Tensor, w: Tensor) -> Tensor:
        images = self.conv(upsample(images) if self.up else images, w)
        noise = torch.randn_like(images[:, :1]) * self.noise
        return leaky(images + noise + self.bias[:, None, None])


def upsample(images: Tensor) -> Tensor:
    """Double the sides by the filter [1, 3, 3, 1], which is bilinear interpolation."""
    return F.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


def pixel_norm(values: Tensor) -> Tensor:
    """Scale each row (n, values) to a mean square of 1."""
    return values * torch.rsqrt(values.square().mean(1, keepdim=True) + 1e-8)


def minibatch_deviation(features: Tensor, largest: int = 4) -> Tensor:
    """Append a channel: the mean over features and places of their standard deviation within a group of images.

    Groups have `largest` images, or as many below that as divide the batch.
    """
    n, channels, height, width = features.shape
    size = next(size for size in range(largest, 0, -1) if n % size == 0)
    groups = features.reshape(size, n // size, channels, height, width)
    variance = (groups - groups.mean(0)).square().mean(0)
    deviation = (variance + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat([features, deviation.repeat(size)[:, None, None, None].expand(n, 1, height, width)], 1)
