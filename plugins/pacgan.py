"""PacGAN: the power of two samples in generative adversarial networks: Lin et al. 2018 (arXiv:1712.04086).

The discriminator judges `packing` samples at once (the paper's m), all real or all generated, joined along their
channels or, for points, their coordinates. A generator that has lost modes makes packs that are too much alike, which
shows more clearly in a pack than in its samples one by one. Nothing else of the GAN changes; its loss is `dcgan`'s.
What differs from the paper: networks, averaged weights, shifted images (each image of a pack on its own), rates and
betas are those of `dcgan` here. A batch of n images makes n / m packs, where the paper draws m times as many images
for each update: real images are what a budget counts. On points, the paper has a generator of four layers of 400 with
batch normalisation and maxout in the discriminator, and trains for 40 million samples.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor, nn

import ganbench
from ganbench import Choice, DataSpec
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import encoder


class PacGAN(GAN):
    name, paper = "pacgan", "arXiv:1712.04086"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        packing: Annotated[int, Choice(2, 3, 4)] = 2

    def __init__(self, data: DataSpec, config: Any) -> None:
        if not 1 <= config.packing <= config.batch_size:
            raise ValueError(f"packing={config.packing}: from 1 to batch_size ({config.batch_size})")
        super().__init__(data, config)

    def make_discriminator(self) -> nn.Module:
        first, *sides = self.data.shape
        packs = dataclasses.replace(self.data, shape=(self.config.packing * first, *sides))
        return encoder(packs, 1, self.config.width, self.config.hidden)

    def discriminate(self, images: Tensor) -> Tensor:
        """Return the discriminator's outputs for packs of images: (n / packing, 1)."""
        return self.discriminator(pack(self.augment(images), self.config.packing))  # type: ignore[no-any-return]


def pack(images: Tensor, size: int) -> Tensor:
    """Join every `size` images along their first dimension: (n, C, ...) to (n / size, size C, ...).

    Images left over are dropped.
    """
    whole = len(images) - len(images) % size
    return images[:whole].unflatten(0, (-1, size)).flatten(1, 2)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(PacGAN)
