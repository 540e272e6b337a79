"""Which network a classifier file holds, by name and version: a file names both, and both stay what they were.

Whoever changes what a network computes gives it another version here and keeps the old one for the files that name it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch.nn import Module

from ganbench.extractors.convnet import ConvNet
from ganbench.extractors.lenet import LeNet

LEAST, MOST = 8, 64
"""Sides that a network takes, in pixels; larger images are resized to fit."""


class Architecture(NamedTuple):
    """A network's name and version, its features, and how it is built for a shape (C, H, W) and a number of classes."""

    name: str
    version: int
    feature_dim: int
    build: Callable[[tuple[int, ...], int], Module]


ARCHITECTURES = (
    Architecture("lenet", 1, LeNet.feature_dim, lambda shape, classes: LeNet(classes)),
    Architecture("convnet", 1, ConvNet.feature_dim, ConvNet),
)


def find(name: str, version: int) -> Architecture | None:
    """Return the architecture of that name and version, None where there is none."""
    return next((each for each in ARCHITECTURES if (each.name, each.version) == (name, version)), None)


def fitting(shape: tuple[int, ...]) -> tuple[Architecture, tuple[int, int, int]]:
    """Return the network for images of a shape (C, H, W), and the shape that it takes of them."""
    channels, height, width = shape
    shrink = min(1.0, MOST / max(height, width))
    taken = channels, max(LEAST, round(height * shrink)), max(LEAST, round(width * shrink))
    return ARCHITECTURES[0 if taken == LeNet.shape else 1], taken
