"""InfoGAN: Chen et al. 2016 (arXiv:1606.03657), with DCGAN's networks.

Part of the latent is a code c: one of `categories` classes, uniform, and `continuous` numbers from U(-1, 1). A head Q
on the discriminator's features guesses the code from the image, and generator and Q maximise the bound
L_I = E[log Q(c | x)] + H(c) of the mutual information between code and image, weighed by `weight` and
`continuous_weight`. Q sees no label: the harness takes the model for unconditional. Q learns in the discriminator's
turn, from the same images, with the features that both share. Other settings, averaged weights and shifted images
among them, are those of `dcgan` here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import LogUniform
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import decoder, encoder


class InfoGAN(GAN):
    name, paper = "infogan", "arXiv:1606.03657"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        categories: int = 10
        continuous: int = 2
        weight: Annotated[float, LogUniform(0.1, 3)] = 1.0
        continuous_weight: float = 0.1

    @classmethod
    def sampler(cls, config: Config) -> str:
        return f"{super().sampler(config)}; code of {config.categories} classes and {config.continuous} x U(-1, 1)"

    def make_generator(self) -> nn.Module:
        config = self.config
        inputs = config.categories + config.continuous + config.latent_dim
        return decoder(self.data, inputs, config.width, config.hidden)

    def make_discriminator(self) -> nn.Module:
        config = self.config
        return encoder(self.data, 1 + config.categories + 2 * config.continuous, config.width, config.hidden)

    def latent(self, n: int) -> Tensor:
        """Return the code, its class one-hot, and what is noise besides."""
        noise, config = super().latent(n), self.config
        category = torch.randint(config.categories, (n,), device=noise.device)
        continuous = torch.rand(n, config.continuous, device=noise.device) * 2 - 1
        return torch.cat([F.one_hot(category, config.categories).to(noise), continuous, noise], 1)

    def generate(self, generator: nn.Module, latent: Tensor, labels: Tensor | None) -> Tensor:
        self.code = latent[:, : self.config.categories + self.config.continuous]
        return generator(latent)

    def information(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bound L_I in nats for the class and for the numbers, each 0-d, from Q's outputs for the images."""
        config = self.config
        category, continuous = self.code.split([config.categories, config.continuous], 1)
        logits, mean, log_deviation = outputs.float().split([config.categories] + 2 * [config.continuous], 1)
        log_deviation = log_deviation.clamp(-5, 5)
        of_class = (category * logits.log_softmax(1)).sum(1)
        error = (continuous - mean) * (-log_deviation).exp()
        of_numbers = -(0.5 * error.square() + log_deviation + 0.5 * math.log(2 * math.pi)).sum(1)
        return of_class.mean() + math.log(config.categories), of_numbers.mean() + config.continuous * math.log(2)

    def weighed(self, outputs: Tensor) -> Tensor:
        of_class, of_numbers = self.information(outputs)
        return self.config.weight * of_class + self.config.continuous_weight * of_numbers

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        real_outputs, fake_outputs = self.discriminate(real), self.discriminate(fake)
        loss = F.softplus(-real_outputs[:, 0]).mean() + F.softplus(fake_outputs[:, 0]).mean()
        return loss - self.weighed(fake_outputs[:, 1:])

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        outputs = self.discriminate(fake)
        return F.softplus(-outputs[:, 0]).mean() - self.weighed(outputs[:, 1:])


@ganbench.hookimpl
def ganbench_register_models(register):
    register(InfoGAN)
