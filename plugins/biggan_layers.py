"""Layers of SAGAN (arXiv:1805.08318) and BigGAN (arXiv:1809.11096): self-attention, class-conditional batch
normalisation, residual blocks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench_plugins.resampling import double, halve


class SelfAttention(nn.Module):
    """Adds to each place what it attends to anywhere in the image, times a learned number that starts at 0.

    Keys and values are the largest of 2x2 places, as in BigGAN.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(channels // 8, 1), 1, bias=False)
        self.key = nn.Conv2d(channels, max(channels // 8, 1), 1, bias=False)
        self.value = nn.Conv2d(channels, max(channels // 2, 1), 1, bias=False)
        self.output = nn.Conv2d(max(channels // 2, 1), channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        query = self.query(features).flatten(2)
        key = F.max_pool2d(self.key(features), 2).flatten(2)
        value = F.max_pool2d(self.value(features), 2).flatten(2)
        attention = (query.transpose(1, 2) @ key).softmax(2)  # (n, places, places / 4)
        attended = (value @ attention.transpose(1, 2)).unflatten(2, features.shape[2:])
        return features + self.gamma * self.output(attended)


class ConditionalBatchNorm2d(nn.Module):
    """Batch normalisation whose scale and shift are linear in a condition (n, inputs): 1 and 0 where that is 0."""

    def __init__(self, channels: int, inputs: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Linear(inputs, channels, bias=False)
        self.shift = nn.Linear(inputs, channels, bias=False)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        scale, shift = 1 + self.scale(condition), self.shift(condition)
        return self.norm(features) * scale[:, :, None, None] + shift[:, :, None, None]  # type: ignore[no-any-return]


class GeneratorBlock(nn.Module):
    """A residual block that doubles the sides."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ConditionalBatchNorm2d(channels, condition) for channels in (inputs, outputs))
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        inner = self.first(double(F.relu(self.norms[0](features, condition))))
        inner = self.second(F.relu(self.norms[1](inner, condition)))
        return inner + double(self.skip(features))  # a convolution of 1x1 may come before: the numbers are the same


class DiscriminatorBlock(nn.Module):
    """A residual block; `down` halves the sides, `raw` says that the input is an image, which is not activated."""

    def __init__(self, inputs: int, outputs: int, *, down: bool = True, raw: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)
        self.down, self.raw = down, raw

    def forward(self, features: Tensor) -> Tensor:
        inner = self.second(F.relu(self.first(features if self.raw else F.relu(features))))
        if self.down:
            inner, features = halve(inner), halve(features)
        return inner + self.skip(features)  # type: ignore[no-any-return]


class SumPool(nn.Module):
    """Activates features (n, channels, H, W) and sums them over places."""

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features).sum((2, 3))
