"""EfficientNet-Lite0 (arXiv:1905.11946, without squeeze-and-excite, ReLU6 for swish), for inference.

Batch norms are folded into the convolutions before them, so that this network has none: `fold` takes the tensors of a
trained one, in the order in which they follow each other in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES, CLASSES = 1280, 1000
EPSILON = 1e-3
"""Of the batch norms."""


class Stage(NamedTuple):
    """Blocks in a row; the first has the stride, and the number of channels that comes in."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": where the sum is odd, more is added at the right and the bottom."""

    def __init__(self, channels: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups)

    def forward(self, pixels: Tensor) -> Tensor:
        if self.stride[0] > 1:
            left, right = zip(*(self._pads(side) for side in (pixels.shape[3], pixels.shape[2])), strict=True)
            pixels = F.pad(pixels, (left[0], right[0], left[1], right[1]))
        return super().forward(pixels)

    def _pads(self, side: int) -> tuple[int, int]:
        kernel, stride = self.kernel_size[0], self.stride[0]
        both = max(0, (-(-side // stride) - 1) * stride + kernel - side)
        return both // 2, both - both // 2


class Block(nn.Module):
    """An inverted residual block (MBConv): 1x1 expansion, depthwise convolution, 1x1 projection without activation."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        layers: list[nn.Module] = [Convolution(channels, inner), nn.ReLU6(inplace=True)] if expansion > 1 else []
        layers += [Convolution(inner, inner, kernel, stride, inner), nn.ReLU6(inplace=True), Convolution(inner, out)]
        self.layers = nn.Sequential(*layers)
        self._residual = stride == 1 and channels == out

    def forward(self, maps: Tensor) -> Tensor:
        found: Tensor = self.layers(maps)
        return found + maps if self._residual else found


class EfficientNetLite0(nn.Module):
    """Features (N, 1280), the mean of the last maps, and logits (N, 1000) of normalised images (N, 3, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [Convolution(3, STEM, 3, 2), nn.ReLU6(inplace=True)]
        channels = STEM
        for stage in STAGES:
            for block in range(stage.blocks):
                stride = 1 if block else stage.stride
                layers.append(Block(channels, stage.channels, stage.kernel, stride, stage.expansion))
                channels = stage.channels
        layers += [Convolution(channels, FEATURES), nn.ReLU6(inplace=True)]
        self.maps = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.maps(pixels).mean((2, 3))
        return features, self.head(features)


def fold(trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of an `EfficientNetLite0` from that of a trained network with batch norms.

    `trained` holds, in the network's order, each convolution's weight, then its batch norm's weight, bias, mean and
    variance, and at last the weight and bias of the linear layer; counters of batches are passed over.
    """
    tensors = iter(tensor.double() for name, tensor in trained.items() if not name.endswith("num_batches_tracked"))
    state = dict[str, Tensor]()
    for name in EfficientNetLite0().state_dict():
        if name.startswith("head."):
            state[name] = next(tensors).float()
        elif name.endswith(".weight"):
            weight, scale, bias, mean, variance = (next(tensors) for _ in range(5))
            scale = scale / torch.sqrt(variance + EPSILON)
            state[name] = (weight * scale.view(-1, 1, 1, 1)).float()
            state[name.removesuffix("weight") + "bias"] = (bias - mean * scale).float()
    return state
