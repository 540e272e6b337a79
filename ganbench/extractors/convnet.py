"""A small residual network (after He et al. 2016) with batch normalisation: a frozen classifier for other images."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

STEM = 32
WIDTHS = (48, 96, 192)
LARGE = 40
"""A shorter side above this is halved by the stem already: a 64x64 image costs what a 32x32 one does."""
SMALL = 4
"""The third stage is left out where the shorter side is down to this before it."""


class Block(nn.Module):
    """Two 3x3 convolutions beside the identity; size and channels stay."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, channels, 1), nn.ReLU(), *_convolution(channels, channels, 1)
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        return F.relu(images + self.body(images))


class ConvNet(nn.Module):
    """A stem, two or three stages that each halve the image, global average pooling, 128 features after a ReLU.

    Input: float (N, *shape) in [-1, 1], any channels, sides from 8. Output: features (N, 128) and logits (N, classes).
    """

    feature_dim = 128

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        stages, width = _stages(shape)
        self.body = nn.Sequential(
            *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, self.feature_dim), nn.ReLU()
        )
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(self.feature_dim, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(images)
        return features, self.head(self.dropout(features))


def _stages(shape: tuple[int, ...]) -> tuple[list[nn.Module], int]:
    """Return the convolutions and the channels that they end in."""
    channels, side = shape[0], min(shape[1:])
    stride = 2 if side > LARGE else 1
    layers, width, side = [*_convolution(channels, STEM, stride), nn.ReLU()], STEM, -(-side // stride)
    for stage, wider in enumerate(WIDTHS):
        if stage == 2 and side <= SMALL:
            break
        layers += [*_convolution(width, wider, 2), nn.ReLU(), Block(wider)]
        width, side = wider, -(-side // 2)
    return layers, width


def _convolution(given: int, wanted: int, stride: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(given, wanted, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(wanted)
