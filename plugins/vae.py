"""Auto-encoding variational Bayes: Kingma & Welling 2014 (arXiv:1312.6114), fully connected.

A Gaussian posterior N(mu, diag sigma^2), a standard normal prior, one hidden layer each way. Adam and ReLU take the
place of Adagrad and tanh. `beta` weighs the KL term (arXiv:1804.03599 calls that a beta-VAE; 1 is the bound itself).
The Bernoulli likelihood treats a pixel's brightness in [0, 1] as a probability; the Gaussian one learns one variance
for all pixels. Samples are the mean of p(x | z), z drawn from the prior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec


class VAE(ganbench.Model):
    name, family, paper = "vae", "vae", "arXiv:1312.6114"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 16
        latent_dim: int = 20
        hidden: int = 500
        lr: float = 1e-3
        beta: float = 1.0
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        pixels = math.prod(data.shape)
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, config.hidden), nn.ReLU(), nn.Linear(config.hidden, 2 * config.latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(config.latent_dim, config.hidden), nn.ReLU(), nn.Linear(config.hidden, pixels)
        )
        self.log_variance = nn.Parameter(torch.zeros(()))
        self.optimizer = torch.optim.Adam(self.parameters(), lr=config.lr, fused=True)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        mean, log_variance = self.encoder(batch.images).float().chunk(2, dim=1)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        reconstruction = self.negative_log_likelihood(batch.images.flatten(1), self.decoder(latent).float())
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        loss = reconstruction + self.config.beta * kl
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {"reconstruction": reconstruction, "kl": kl}

    def negative_log_likelihood(self, pixels: Tensor, output: Tensor) -> Tensor:
        """Return nats an image, averaged over the batch."""
        if self.config.likelihood == "bernoulli":
            brightness = (pixels + 1) / 2
            return F.binary_cross_entropy_with_logits(output, brightness, reduction="sum") / len(pixels)
        variance = self.log_variance.exp()
        nats = 0.5 * ((pixels - output).square() / variance + self.log_variance + math.log(2 * math.pi))
        return nats.sum(1).mean()

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        output = self.decoder(torch.randn(n, self.config.latent_dim, device=self.log_variance.device))
        images = 2 * output.sigmoid() - 1 if self.config.likelihood == "bernoulli" else output.clamp(-1, 1)
        return images.unflatten(1, self.data.shape)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(VAE)
