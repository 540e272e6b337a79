"""cGANs with projection discriminator: Miyato & Koyama 2018 (arXiv:1802.05637), with DCGAN's networks.

The discriminator's score is psi(phi(x)) + <y's embedding, phi(x)>: linear in the label, as the log ratio of two
densities is where p(y | x) is log-linear. Hinge loss. As in the paper all of the discriminator is spectrally
normalised (`spectral`), the embedding too, without batch normalisation. The paper's residual networks are DCGAN's
here, and the generator takes the label as in `cgan`, not as conditional batch normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

import ganbench
from ganbench_plugins.cgan import CGAN
from ganbench_plugins.layers import encoder


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
        spectral: bool = True

    def make_discriminator(self) -> nn.Module:
        config = self.config
        phi = encoder(self.data, 1, config.width, config.hidden, norm=not config.spectral)[:-1]
        return Projection(phi, config.hidden, self.data.classes)

    def initialise(self) -> None:
        super().initialise()
        if self.config.spectral:
            for layer in self.discriminator.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
                    spectral_norm(layer)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return F.relu(1 - self.score(real, labels)).mean() + F.relu(1 + self.score(fake, labels)).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return -self.score(fake, labels).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(ProjectionGAN)
