"""Discriminators whose outputs and slopes are known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """Gives `weight` times the sum of an image's values: its slope has norm |weight| sqrt(values) everywhere."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, images: Tensor) -> Tensor:
        return self.weight * images.flatten(1).sum(1, keepdim=True)


class Quadratic(Linear):
    """Gives `weight` / 2 times the sum of squares: its slope is `weight` times the image itself."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.square() / 2)
