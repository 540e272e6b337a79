"""Improved training of Wasserstein GANs: Gulrajani et al. 2017 (arXiv:1704.00028).

WGAN whose critic is held to slopes of norm 1, at random points between real and generated images, by a penalty
weighed `penalty` (the paper's lambda) instead of by clipping. No batch normalisation in the critic: the penalty is one
image's; its weights are drawn by He's rule, as the authors' are. `batch_norm=False` leaves it out of the generator too.
What differs, since few images are seen here: `discriminator_steps` (the paper's n_critic) is 1 instead of 5, batches
are of 16 instead of 64, Adam runs at 1e-3 instead of 1e-4, with the paper's betas (0, 0.9). Averaged weights and
shifted images are those of `dcgan` here; images are shifted before they are mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

import ganbench
from ganbench import Choice, LogUniform
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import decoder, encoder
from ganbench_plugins.slopes import input_gradient


class WGANGP(GAN):
    name, paper = "wgan-gp", "arXiv:1704.00028"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        beta1: float = 0.0
        beta2: float = 0.9
        discriminator_steps: Annotated[int, Choice(1, 2, 5)] = 1
        penalty: Annotated[float, LogUniform(0.1, 30)] = 10.0
        batch_norm: bool = True

    def make_generator(self) -> nn.Module:
        config = self.config
        return decoder(self.data, config.latent_dim, config.width, config.hidden, norm=config.batch_norm)

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden, norm=False)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        real, fake = self.augment(real), self.augment(fake)
        distance = self.discriminator(real).mean() - self.discriminator(fake).mean()
        points = between(real, fake).requires_grad_()
        slope = input_gradient(self.discriminator(points), points).norm(dim=1)
        return self.config.penalty * (slope - 1).square().mean() - distance

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return -self.discriminate(fake).mean()


def between(real: Tensor, fake: Tensor) -> Tensor:
    """Return one point on the line from each real image to a generated one, uniformly drawn."""
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    return share * real + (1 - share) * fake


@ganbench.hookimpl
def ganbench_register_models(register):
    register(WGANGP)
