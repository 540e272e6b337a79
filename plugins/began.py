"""BEGAN: boundary equilibrium GANs: Berthelot, Schumm, Metz 2017 (arXiv:1703.10717).

The discriminator is an autoencoder, and L(v) = |v - D(v)|, a mean over pixels. It learns to reconstruct real images
and, weighed by k_t, not to reconstruct generated ones; k_t moves so that L(G(z)) stays at `gamma` times L(x). Latents
are uniform on [-1, 1]. `convergence` among the losses is the paper's measure M_global, lower being better.
What differs: dcgan's small networks take the place of the paper's, batch normalisation in the generator alone; Adam
runs at 5e-4 instead of 1e-4, and k_t moves faster (0.1 instead of 0.001), since a short budget has few updates. The
autoencoder's output is linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import decoder, encoder


class BEGAN(GAN):
    name, paper = "began", "arXiv:1703.10717"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        latent_dim: int = 16
        width: int = 16
        lr: float = 5e-4
        codes: int = 16
        gamma: float = 0.75
        lambda_k: float = 0.1

    k: Tensor
    real_error: Tensor
    convergence: Tensor

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        for name in ("k", "real_error", "convergence"):
            self.register_buffer(name, torch.zeros(()))

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "U(-1, 1), averaged weights" if config.ema else "U(-1, 1)"

    def make_discriminator(self) -> nn.Module:
        width, hidden, codes = self.config.width, self.config.hidden, self.config.codes
        return nn.Sequential(
            encoder(self.data, codes, width, hidden, activation=nn.ELU, norm=False),
            decoder(self.data, codes, width, hidden, output=nn.Identity, norm=False),
        )

    def initialise(self) -> None:
        """Keep the weights that torch drew: N(0, 0.02) would let an autoencoder without normalisation fade."""

    def latent(self, n: int) -> Tensor:
        return torch.rand(n, self.config.latent_dim, device=self.k.device) * 2 - 1

    def error(self, images: Tensor) -> Tensor:
        """Return L(v), averaged over a batch, 0-d."""
        images = self.augment(images)
        return (images - self.discriminator(images)).abs().float().mean()

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        error = self.error(real)
        self.real_error.copy_(error.detach())
        return error - self.k.clone() * self.error(fake)

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        error = self.error(fake)
        self.control(error.detach())
        return error

    def control(self, fake_error: Tensor) -> None:
        """Move k_t by lambda_k (gamma L(x) - L(G(z))), within [0, 1]."""
        balance = self.config.gamma * self.real_error - fake_error
        self.k.add_(self.config.lambda_k * balance).clamp_(0, 1)
        self.convergence.copy_(self.real_error + balance.abs())

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return super().step(batch) | {"convergence": self.convergence.clone()}


@ganbench.hookimpl
def ganbench_register_models(register):
    register(BEGAN)
