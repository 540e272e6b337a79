"""Spectral normalisation for GANs: Miyato et al. 2018 (arXiv:1802.05957).

Each layer of the discriminator is divided by its largest singular value, a convolution's weight being read as a matrix
of one row an output channel; one power iteration an update of the discriminator follows that value. The hinge loss
(its eqs. 16 and 17), no batch normalisation in the discriminator, whose weights are drawn by He's rule. What differs,
since few images are seen here: `discriminator_steps` (the paper's n_dis) is 2 instead of 5, batches are of 32 instead
of 64, and Adam, with betas (0, 0.9), runs at 1e-3 instead of 2e-4. Networks, averaged weights and shifted images are
those of `dcgan` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Choice
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import encoder
from ganbench_plugins.spectral import iterate, normalise_spectrally


class SNGAN(GAN):
    name, paper = "sngan", "arXiv:1802.05957"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        beta1: float = 0.0
        beta2: float = 0.9
        discriminator_steps: Annotated[int, Choice(1, 2, 5)] = 2
        power_iterations: int = 1

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden, norm=False)

    def initialise(self) -> None:
        """Normalise once weights are drawn: a normalised layer's `weight` is computed, and not to be drawn."""
        super().initialise()
        normalise_spectrally(self.discriminator)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return F.relu(1 - self.discriminate(real)).mean() + F.relu(1 + self.discriminate(fake)).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return -self.discriminate(fake).mean()

    def after_discriminator(self) -> None:
        for _ in range(self.config.power_iterations):
            iterate(self.discriminator)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(SNGAN)
