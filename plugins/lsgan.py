"""Least squares generative adversarial networks: Mao et al. 2016 (arXiv:1611.04076).

The paper's eq. 9: fake images are pulled to `a`, real ones to `b`, and the generator's to `c`; a = 0 and b = c = 1.
Networks, initial weights, learning rate, averaged weights, shifted images and batches of 32 are those of `dcgan` here:
with the paper's batches of 64 a short budget would have few updates.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

import ganbench
from ganbench_plugins.adversarial import GAN


class LSGAN(GAN):
    name, paper = "lsgan", "arXiv:1611.04076"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        a: float = 0.0
        b: float = 1.0
        c: float = 1.0

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        a, b = self.config.a, self.config.b
        return 0.5 * (self.discriminate(real) - b).square().mean() + 0.5 * (self.discriminate(fake) - a).square().mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return 0.5 * (self.discriminate(fake) - self.config.c).square().mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(LSGAN)
