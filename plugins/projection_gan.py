"""cGANs with projection discriminator: Miyato & Koyama 2018 (arXiv:1802.05637), with DCGAN's networks.

The discriminator's score is psi(phi(x)) + <y's embedding, phi(x)>: linear in the label, as the log ratio of two
densities is where p(y | x) is log-linear. Hinge loss. As in the paper all of the discriminator is spectrally
normalised (`spectral`), the embedding too, without batch normalisation, and betas are (0, 0.9). What differs: the
paper's residual networks are DCGAN's here, the generator takes the label as in `cgan`, not as conditional batch
normalisation, and `discriminator_steps` is 1 instead of 5. Batches of 32, Adam at 1e-3, averaged weights and shifted
images are those of `dcgan` here. Weights of the discriminator are drawn by He's rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Choice
from ganbench_plugins.cgan import CGAN
from ganbench_plugins.layers import encoder
from ganbench_plugins.spectral import iterate, normalise_spectrally


class Projection(nn.Module):
    """Scores images (n, *shape) with labels (n,): (n, 1)."""

    def __init__(self, phi: nn.Module, hidden: int, classes: int) -> None:
        super().__init__()
        self.phi = phi
        self.psi = nn.Linear(hidden, 1)
        self.embedding = nn.Embedding(classes, hidden)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.phi(images)
        return self.psi(features) + (self.embedding(labels) * features).sum(1, keepdim=True)


class ProjectionGAN(CGAN):
    name, paper = "projection-gan", "arXiv:1802.05637"

    @dataclass(frozen=True)
    class Config(CGAN.Config):
        beta1: float = 0.0
        beta2: float = 0.9
        discriminator_steps: Annotated[int, Choice(1, 2, 5)] = 1
        spectral: bool = True

    def make_discriminator(self) -> nn.Module:
        config = self.config
        phi = encoder(self.data, 1, config.width, config.hidden, norm=not config.spectral)[:-1]
        return Projection(phi, config.hidden, self.data.classes)

    def initialise(self) -> None:
        super().initialise()
        if self.config.spectral:
            normalise_spectrally(self.discriminator)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return F.relu(1 - self.score(real, labels)).mean() + F.relu(1 + self.score(fake, labels)).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return -self.score(fake, labels).mean()

    def after_discriminator(self) -> None:
        iterate(self.discriminator)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(ProjectionGAN)
