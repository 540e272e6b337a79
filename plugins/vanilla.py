"""Generative adversarial nets: Goodfellow et al. 2014 (arXiv:1406.2661), fully connected.

As today's tutorials build it: Adam instead of SGD with momentum (at 1e-3 and in batches of 16, to learn within a short
budget), leaky ReLU instead of maxout and of dropout, a Gaussian latent, a tanh output and torch's own initial weights.
`saturating=True` is the paper's minimax loss for the generator; the default is the non-saturating one that the paper
recommends in its section 3. `discriminator_steps` is the paper's k (here all k updates use one batch of real images).
As in the paper there is no average of the weights, and images are not shifted; `ema` and `translation` turn on what
most other GANs here have (see adversarial.py). `hidden` sizes both networks, `width` is not used.
On points both networks have three hidden layers (see layers.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import perceptron


class Vanilla(GAN):
    name, paper = "vanilla", "arXiv:1406.2661"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        latent_dim: int = 16
        ema: float = 0.0
        translation: int = 0
        saturating: bool = False

    def make_generator(self) -> nn.Module:
        if len(self.data.shape) == 1:
            return super().make_generator()
        pixels, h = math.prod(self.data.shape), self.config.hidden
        layers = perceptron(self.config.latent_dim, h, 2 * h, pixels)
        return nn.Sequential(*layers, nn.Tanh(), nn.Unflatten(1, self.data.shape))

    def make_discriminator(self) -> nn.Module:
        if len(self.data.shape) == 1:
            return super().make_discriminator()
        pixels, h = math.prod(self.data.shape), self.config.hidden
        return nn.Sequential(nn.Flatten(), *perceptron(pixels, 2 * h, h, 1))

    def initialise(self) -> None:
        """Keep the weights that torch drew."""

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        if self.config.saturating:
            return -F.softplus(self.discriminate(fake)).mean()
        return super().generator_loss(real, fake, labels)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(Vanilla)
