"""BEGAN: boundary equilibrium GANs: Berthelot, Schumm, Metz 2017 (arXiv:1703.10717).

The discriminator is an autoencoder, and L(v) = |v - D(v)|, a mean over pixels. It learns to reconstruct real images
and, weighed by k_t, not to reconstruct generated ones; k_t moves so that L(G(z)) stays at `gamma` times L(x). Latents
are uniform on [-1, 1]. `convergence` among the losses is the paper's measure M_global, lower being better.
What differs, since a short budget has few updates: the autoencoder is fully connected, `hidden` units on either side of
its `codes`, since one of convolutions (as in the paper) gives black images for hundreds of updates under an L1 error,
and the generator then stays at black images too; the generator is dcgan's, with batch normalisation and a tanh
output (the paper: neither); Adam runs at 2e-3 instead of 1e-4 with decay, k_t moves faster (0.1 instead of 0.001), and
gamma is 0.9 (the paper: 0.3 to 0.7). Averaged weights and shifted images are those of `dcgan` here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import Batch, DataSpec, Uniform
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import perceptron


class BEGAN(GAN):
    name, paper = "began", "arXiv:1703.10717"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        latent_dim: int = 16
        lr: float = 2e-3
        codes: int = 32
        gamma: Annotated[float, Uniform(0.3, 1)] = 0.9
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
        values, hidden, codes = math.prod(self.data.shape), self.config.hidden, self.config.codes
        return nn.Sequential(
            nn.Flatten(),
            *perceptron(values, hidden, codes, activation=nn.ELU),
            *perceptron(codes, hidden, values, activation=nn.ELU),
            nn.Unflatten(1, self.data.shape),
        )

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
