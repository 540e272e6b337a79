"""Self-conditioned GAN: Liu et al. 2020 (arXiv:2006.10728), a conditional GAN told clusters instead of labels.

k-means divides the training images into clusters, both networks of `cgan` are told an image's cluster, and samples are
made for clusters drawn by their frequency. No label is used.

k-means works on the discriminator's last hidden layer, and again each `recluster` images (0: once), from the means of
the last partition; then labels are matched to the last ones by the Hungarian method. `features="pixels"` clusters the
first `components` principal components of the images instead.

What differs from the paper: a model here sees batches, not a data set, so clusters are those of the last `memory`
images seen. Until the memory is full (the first pass, where the data set is no larger) clusters are drawn at random,
so that training starts without a condition, where the paper starts from a random discriminator's features. An image's
cluster is that of the nearest mean, in features of a copy of the discriminator that stays as it was when the clusters
were made; the paper keeps a table of all images. There are 20 clusters (paper: 100 and more), and networks, batches,
Adam's settings, averaged weights and shifted images are those of `cgan` here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.cgan import CGAN
from ganbench_plugins.gmm import PCA
from ganbench_plugins.partition import Memory, k_means, lloyd, matched, means, nearest


class SelfConditionedGAN(CGAN):
    name, paper, conditional = "self-conditioned-gan", "arXiv:2006.10728", False

    @dataclass(frozen=True)
    class Config(CGAN.Config):
        clusters: Annotated[int, ganbench.Uniform(10, 50)] = 20
        features: Literal["discriminator", "pixels"] = "discriminator"
        recluster: int = 10_000
        components: int = 50
        memory: int = 5000

    centres: Tensor
    frequencies: Tensor

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.memory = Memory(data.shape, min(config.memory, data.n))
        self.pca = PCA(data.shape, config.components)
        self.frozen = copy.deepcopy(self.discriminator.features).requires_grad_(False)
        width = self.pca.dimensions if config.features == "pixels" else config.hidden
        self.register_buffer("centres", torch.zeros(config.clusters, width))
        self.register_buffer("frequencies", torch.full((config.clusters,), 1 / config.clusters))
        self.clustered_at = 0

    @classmethod
    def sampler(cls, config: Any) -> str:
        return super().sampler(config) + "; clusters by frequency"

    @property
    def classes(self) -> int:
        return self.config.clusters  # type: ignore[no-any-return]

    def condition(self, batch: Batch) -> Tensor:
        """Return the images' clusters, int64 (B,), having learned from the images where clusters are due."""
        with torch.no_grad(), torch.autocast(batch.images.device.type, enabled=False):
            self.memory.add(batch.images)
            due = self.config.recluster and self.memory.count - self.clustered_at >= self.config.recluster
            if self.memory.full and (due or not self.clustered_at):
                self.cluster()
            return self.assign(batch.images) if self.clustered_at else self.draw(len(batch.images))

    def describe(self, images: Tensor) -> Tensor:
        """Return what images are clustered by, (n, d)."""
        if self.config.features == "pixels":
            return self.pca.encode(images)
        return torch.cat([self.frozen.eval()(part) for part in images.split(500)])

    def assign(self, images: Tensor) -> Tensor:
        """Return the images' clusters, int64 (n,)."""
        return nearest(self.describe(images), self.centres)

    def cluster(self) -> None:
        """Make clusters of the images in memory: the first ones anew, later ones from the last."""
        images, before = self.memory.all(), None
        if self.clustered_at:
            before = self.assign(images)
        if self.config.features == "pixels":
            self.pca.fit(images)
        else:
            self.frozen.load_state_dict(self.discriminator.features.state_dict())
        points = self.describe(images)
        if before is None:
            centres = k_means(points, self.classes)
        else:
            centres = lloyd(points, means(points, before, points[: self.classes]))
            centres = matched(centres, nearest(points, centres), before)
        self.centres.copy_(centres)
        self.frequencies.copy_(torch.bincount(nearest(points, centres), minlength=self.classes) / len(points))
        self.clustered_at = self.memory.count

    def draw(self, n: int) -> Tensor:
        """Return clusters drawn by their frequency, int64 (n,)."""
        return torch.multinomial(self.frequencies, n, replacement=True)

    def generate(self, generator: torch.nn.Module, latent: Tensor, labels: Tensor | None) -> Tensor:
        return super().generate(generator, latent, self.draw(len(latent)) if labels is None else labels)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(SelfConditionedGAN)
