"""Fully connected GAN with batch normalisation, the tutorials' first: arXiv:1406.2661 with arXiv:1502.03167.

As widely taught with PyTorch: a generator of 128-256-512-1024 units, batch normalisation behind each layer but the
first, a discriminator of 512-256 units with dropout, leaky ReLU, the tutorials' initial weights (torch's own), Adam
with beta1 0.5 and 100 latent dimensions. As there weights are not averaged and images not shifted (`ema` and
`translation` turn both on). What differs: batches of 16 instead of 64, and a learning rate of 1e-3 instead of 2e-4,
since few images are seen here. `hidden` is the discriminator's last layer and sizes all others; `width` is not used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

import ganbench
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import leaky


class MLPBN(GAN):
    name, paper = "mlp-bn", "arXiv:1406.2661"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        latent_dim: int = 100
        lr: float = 1e-3
        dropout: float = 0.3
        ema: float = 0.0
        translation: int = 0

    def initialise(self) -> None:
        """Keep the weights that torch drew."""

    def make_generator(self) -> nn.Module:
        sizes = [self.config.hidden * factor // 2 for factor in (1, 2, 4, 8)]
        layers: list[nn.Module] = [nn.Linear(self.config.latent_dim, sizes[0]), leaky()]
        for size_in, size_out in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(size_in, size_out), nn.BatchNorm1d(size_out), leaky()]
        pixels = math.prod(self.data.shape)
        return nn.Sequential(*layers, nn.Linear(sizes[-1], pixels), nn.Tanh(), nn.Unflatten(1, self.data.shape))

    def make_discriminator(self) -> nn.Module:
        sizes = math.prod(self.data.shape), 2 * self.config.hidden, self.config.hidden
        layers: list[nn.Module] = [nn.Flatten()]
        for size_in, size_out in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(size_in, size_out), leaky(), nn.Dropout(self.config.dropout)]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], 1))


@ganbench.hookimpl
def ganbench_register_models(register):
    register(MLPBN)
