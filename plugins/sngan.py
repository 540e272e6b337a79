"""Spectral normalisation for GANs: Miyato et al. 2018 (arXiv:1802.05957).

Each layer of the discriminator is divided by its largest singular value, a convolution's weight being read as a matrix
of one row an output channel; one power iteration an update follows that value. The hinge loss (its eqs. 16 and 17), no
batch normalisation in the discriminator. What differs, since few images are seen here: `discriminator_steps` is 1
instead of 5, and Adam, with betas (0, 0.9), runs at 1e-3 instead of 2e-4.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

import ganbench
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import encoder


class SNGAN(GAN):
    name, paper = "sngan", "arXiv:1802.05957"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        beta1: float = 0.0
        beta2: float = 0.9
        power_iterations: int = 1

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden, norm=False)

    def initialise(self) -> None:
        """Normalise once weights are drawn: a normalised layer's `weight` is computed, and not to be drawn."""
        super().initialise()
        for layer in self.discriminator:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                spectral_norm(layer, n_power_iterations=self.config.power_iterations)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return F.relu(1 - self.discriminate(real)).mean() + F.relu(1 + self.discriminate(fake)).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return -self.discriminate(fake).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(SNGAN)
