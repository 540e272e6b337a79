"""On convergence and stability of GANs: Kodali et al. 2017 (arXiv:1705.07215), DRAGAN.

The non-saturating GAN with a discriminator held to slopes of norm k around real images: the penalty (the paper's
lambda) is taken at a real image plus a displacement, as in the authors' code: half the batch's standard deviation
times uniform noise of each pixel, times a number of each image from U(0, 1). The slope is that of the logit. No batch
normalisation in the discriminator: the penalty is one image's; its weights are drawn by He's rule (the authors:
Xavier's). The penalty weighs 1 instead of 10 and learning rate, batches, averaged weights and shifted images are those
of dcgan here, for a short budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

import ganbench
from ganbench import LogUniform
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import encoder
from ganbench_plugins.slopes import input_gradient


class DRAGAN(GAN):
    name, paper = "dragan", "arXiv:1705.07215"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        penalty: Annotated[float, LogUniform(0.1, 10)] = 1.0
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
        noise = torch.rand_like(images) * torch.rand(len(images), *[1] * (images.ndim - 1), device=images.device)
        return images + self.config.perturbation * images.std() * noise


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DRAGAN)
