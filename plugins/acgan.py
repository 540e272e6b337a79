"""Auxiliary classifier GAN: Odena, Olah, Shlens 2016 (arXiv:1610.09585), with DCGAN's networks.

The discriminator is not told the label: it says both whether an image is real (L_S) and of which class it is (L_C).
It maximises L_S + L_C, the generator L_C - L_S; as is usual the latter's L_S does not saturate. `class_weight` weighs
L_C (the paper: 1). The generator takes the label as in `cgan`; other settings, averaged weights and shifted images
among them, are those of `dcgan` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import LogUniform
from ganbench_plugins.cgan import CGAN
from ganbench_plugins.layers import encoder


class ACGAN(CGAN):
    name, paper = "acgan", "arXiv:1610.09585"

    @dataclass(frozen=True)
    class Config(CGAN.Config):
        class_weight: Annotated[float, LogUniform(0.1, 3)] = 1.0

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1 + self.data.classes, self.config.width, self.config.hidden)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        real_source, real_class = self.discriminate(real).split([1, self.data.classes], 1)
        fake_source, fake_class = self.discriminate(fake).split([1, self.data.classes], 1)
        source = F.softplus(-real_source).mean() + F.softplus(fake_source).mean()
        classes = F.cross_entropy(real_class, labels) + F.cross_entropy(fake_class, labels)
        return source + self.config.class_weight * classes

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        source, classes = self.discriminate(fake).split([1, self.data.classes], 1)
        return F.softplus(-source).mean() + self.config.class_weight * F.cross_entropy(classes, labels)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(ACGAN)
