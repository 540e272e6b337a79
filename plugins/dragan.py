"""On convergence and stability of GANs: Kodali et al. 2017 (arXiv:1705.07215), DRAGAN.

The non-saturating GAN with a discriminator held to slopes of norm k around real images: the penalty (the paper's
lambda) is taken at a real image plus half the batch's standard deviation times uniform noise, as in the authors' code.
The slope is that of the logit. No batch normalisation in the discriminator: the penalty is one image's. The penalty
weighs 1 instead of 10, learning rate and batches are those of dcgan here, for a short budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

import ganbench
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import encoder
from ganbench_plugins.slopes import input_gradient


class DRAGAN(GAN):
    name, paper = "dragan", "arXiv:1705.07215"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        penalty: float = 1.0
        k: float = 1.0
        perturbation: float = 0.5

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden, norm=False)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        points = self.around(self.augment(real)).requires_grad_()
        slope = input_gradient(self.discriminator(points), points).norm(dim=1)
        penalty = self.config.penalty * (slope - self.config.k).square().mean()
        return super().discriminator_loss(real, fake, labels) + penalty

    def around(self, images: Tensor) -> Tensor:
        return images + self.config.perturbation * images.std() * torch.rand_like(images)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DRAGAN)
