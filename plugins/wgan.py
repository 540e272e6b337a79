"""Wasserstein GAN: Arjovsky, Chintala, Bottou 2017 (arXiv:1701.07875).

The critic's outputs are no logits: the difference of their means on real and on generated images, the critic's weights
clipped to [-c, c] after each of its updates, is a Wasserstein distance up to a factor. RMSProp as in the paper, which
found momentum harmful. What differs, since few images are seen here: `discriminator_steps` (the paper's n_critic) is 1
instead of 5, batches of 16 instead of 64, the learning rate 7e-4 instead of 5e-5, and c 0.06 instead of 0.01. The
critic is dcgan's discriminator, batch normalisation included, as in the paper. Averaged weights and shifted images are
those of `dcgan` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

import ganbench
from ganbench import Choice, LogUniform
from ganbench_plugins.adversarial import GAN


class WGAN(GAN):
    name, paper = "wgan", "arXiv:1701.07875"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        lr: float = 7e-4
        discriminator_steps: Annotated[int, Choice(1, 2, 5)] = 1
        c: Annotated[float, LogUniform(0.005, 0.2)] = 0.06

    def make_optimizer(self, network: nn.Module, lr: float) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(network.parameters(), lr)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return self.discriminate(fake).mean() - self.discriminate(real).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return -self.discriminate(fake).mean()

    @torch.no_grad()
    def after_discriminator(self) -> None:
        for parameter in self.discriminator.parameters():
            parameter.clamp_(-self.config.c, self.config.c)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(WGAN)
