"""One Gaussian a class over principal components: the simplest model that can be asked for a class.

Each class's codes (see `gmm`) are described by their mean and covariance, the maximum likelihood's. Classes of fewer
than `enough` images share the covariance of all images, and a class without any has their mean as well. `ridge` is
added to each variance, so that few images, or pixels that never change, do not make a covariance singular.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.gmm import PCA


class ClassGaussian(ganbench.Model):
    name, family, conditional = "class-gaussian", "baseline", True

    means: Tensor
    factors: Tensor

    @dataclass(frozen=True)
    class Config:
        dimensions: Annotated[int, ganbench.LogUniform(30, 400)] = 200
        enough: int = 10
        ridge: Annotated[float, ganbench.LogUniform(1e-6, 1e-1)] = 1e-5

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        if not data.classes:
            raise ValueError(f"{self.name} learns from labels, and {data.name} has none")
        self.pca = PCA(data.shape, config.dimensions)
        self.register_buffer("means", torch.zeros(data.classes, self.pca.dimensions))
        self.register_buffer("factors", torch.eye(self.pca.dimensions).repeat(data.classes, 1, 1))

    @classmethod
    def sampler(cls, config: Config) -> str:
        return f"a Gaussian a class in {config.dimensions} principal components"

    @torch.no_grad()
    def finish(self, data: Batch) -> None:
        assert data.labels is not None
        self.pca.fit(data.images)
        codes = self.pca.encode(data.images).double()
        for label in range(self.data.classes):
            own = codes[data.labels == label]
            self.means[label] = (own if len(own) else codes).mean(0)
            self.factors[label] = self.factor(own if len(own) >= self.config.enough else codes)

    def factor(self, codes: Tensor) -> Tensor:
        """Return the Cholesky factor of the covariance of codes (n, dimensions)."""
        covariance = torch.cov(codes.T, correction=0).view(codes.shape[1], -1)
        return torch.linalg.cholesky(covariance + self.config.ridge * torch.eye(len(covariance)).to(covariance))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = torch.randint(self.data.classes, (n,), device=self.means.device)
        noise = torch.randn(n, self.means.shape[1], 1, device=self.means.device)
        return self.pca.decode(self.means[labels] + (self.factors[labels] @ noise)[:, :, 0])


@ganbench.hookimpl
def ganbench_register_models(register):
    register(ClassGaussian)
