"""A mixture of Gaussians over principal components: no network, the classical density that others should beat.

Images are projected onto their first `dimensions` principal components, where expectation maximisation fits
`components` Gaussians with full covariances (as scikit-learn does, from k-means). A sample is a draw from the mixture
taken back to pixels; what the components do not span is lost. Small data get fewer of both: no more dimensions than
the data have, and no more Gaussians than one for every `images_each` images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.mixture import Mixture


class PCA(nn.Module):
    """The mean and first principal components of images; buffers hold both, so checkpoints do."""

    mean: Tensor
    basis: Tensor

    def __init__(self, shape: tuple[int, ...], dimensions: int) -> None:
        super().__init__()
        pixels = math.prod(shape)
        self.shape = shape
        self.dimensions = min(dimensions, pixels)
        self.register_buffer("mean", torch.zeros(pixels))
        self.register_buffer("basis", torch.eye(pixels, self.dimensions))

    def fit(self, images: Tensor) -> None:
        """Fit to images (n, *shape); with fewer than `dimensions` the components that they do not span stay zero."""
        pixels = images.flatten(1)
        self.mean.copy_(pixels.mean(0))
        found = min(self.dimensions, len(pixels))
        _, _, basis = torch.pca_lowrank(pixels - self.mean, min(found + 10, *pixels.shape), center=False, niter=4)
        self.basis.zero_()[:, :found] = basis[:, :found]

    def encode(self, images: Tensor) -> Tensor:
        """Return codes, (n, dimensions)."""
        return (images.flatten(1) - self.mean) @ self.basis

    def decode(self, codes: Tensor) -> Tensor:
        """Return images, cut off at [-1, 1]."""
        return (codes @ self.basis.T + self.mean).clamp(-1, 1).unflatten(1, self.shape)


class GMM(ganbench.Model):
    name, family = "gmm", "baseline"

    @dataclass(frozen=True)
    class Config:
        dimensions: Annotated[int, ganbench.LogUniform(30, 300)] = 150
        components: Annotated[int, ganbench.LogUniform(20, 300)] = 200
        images_each: int = 10

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        self.pca = PCA(data.shape, config.dimensions)
        components = max(1, min(config.components, data.n // config.images_each))
        self.mixture = Mixture(self.pca.dimensions, components)

    @classmethod
    def sampler(cls, config: Config) -> str:
        return f"{config.components} Gaussians in {config.dimensions} principal components"

    @torch.no_grad()
    def finish(self, data: Batch) -> None:
        self.pca.fit(data.images)
        self.mixture.fit(self.pca.encode(data.images))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.pca.decode(self.mixture.sample(n))


@ganbench.hookimpl
def ganbench_register_models(register):
    register(GMM)
