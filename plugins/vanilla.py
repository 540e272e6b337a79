"""Generative adversarial nets: Goodfellow et al. 2014 (arXiv:1406.2661), fully connected.

As today's tutorials build it: Adam instead of SGD with momentum (at 1e-3 and in batches of 16, to learn within a short
budget), leaky ReLU instead of maxout, a Gaussian latent and a tanh output. `saturating=True` is the paper's minimax
loss for the generator; the default is the non-saturating one that the paper recommends in its section 3.
`discriminator_steps` is the paper's k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.layers import perceptron


class Vanilla(ganbench.Model):
    name, family, paper = "vanilla", "gan", "arXiv:1406.2661"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 16
        latent_dim: int = 16
        hidden: int = 256
        lr: float = 1e-3
        beta1: float = 0.5
        discriminator_steps: int = 1
        saturating: bool = False

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        pixels, h = math.prod(data.shape), config.hidden
        self.generator = nn.Sequential(
            *perceptron(config.latent_dim, h, 2 * h, pixels), nn.Tanh(), nn.Unflatten(1, data.shape)
        )
        self.discriminator = nn.Sequential(nn.Flatten(), *perceptron(pixels, 2 * h, h, 1))
        adam = {"lr": config.lr, "betas": (config.beta1, 0.999), "fused": True}
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.discriminator_updates = 0

    @classmethod
    def sampler(cls, config: Config) -> str:
        return "N(0, I)"

    def latent(self, n: int) -> Tensor:
        return torch.randn(n, self.config.latent_dim, device=next(self.parameters()).device)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        losses = {"discriminator": self.update_discriminator(batch.images)}
        self.discriminator_updates += 1
        if self.discriminator_updates % self.config.discriminator_steps == 0:
            losses["generator"] = self.update_generator(len(batch.images))
        return losses

    def update_discriminator(self, real: Tensor) -> Tensor:
        with torch.no_grad():
            fake = self.generator(self.latent(len(real)))
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        return loss

    def update_generator(self, n: int) -> Tensor:
        self.discriminator.requires_grad_(False)
        logits = self.discriminator(self.generator(self.latent(n)))
        loss = -F.softplus(logits).mean() if self.config.saturating else F.softplus(-logits).mean()
        self.generator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_optimizer.step()
        self.discriminator.requires_grad_(True)
        return loss

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.generator(self.latent(n))

    def extra_state(self) -> dict[str, Any]:
        return {"discriminator_updates": self.discriminator_updates}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.discriminator_updates = state["discriminator_updates"]


@ganbench.hookimpl
def ganbench_register_models(register):
    register(Vanilla)
