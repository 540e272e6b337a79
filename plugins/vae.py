"""Auto-encoding variational Bayes: Kingma & Welling 2014 (arXiv:1312.6114), fully connected.

A Gaussian posterior N(mu, diag sigma^2), a standard normal prior, one hidden layer of 500 units each way, as in the
paper's figures for MNIST. `beta` weighs the KL term (arXiv:1804.03599 calls that a beta-VAE; 1 is the bound itself, and
the search space leaves it there). Samples are the mean of p(x | z), z drawn from the prior.

What differs from the paper: Adam and ReLU take the place of Adagrad and tanh, batches are of 16 and not of 100, there
is no weight decay (the paper's N(0, I) prior of the weights), and weights start as PyTorch draws them, not from
N(0, 0.01). The Bernoulli likelihood treats a pixel's brightness in [0, 1] as a probability. The Gaussian one learns one
variance for all pixels, where the paper's decoder gives a variance for each; that variance starts at
exp(`log_variance`). From exp(0), the spread of the data themselves, a reconstruction is worth less than the KL term
that it costs, and the posterior collapses before the variance has fallen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec

LOG_2PI = math.log(2 * math.pi)


class VAE(ganbench.Model):
    name, family, paper = "vae", "vae", "arXiv:1312.6114"

    encoder: nn.Module
    decoder: nn.Module

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(16, 32, 64, 100)] = 16
        latent_dim: Annotated[int, ganbench.LogUniform(5, 40)] = 20
        hidden: Annotated[int, ganbench.LogUniform(250, 1000)] = 500
        lr: Annotated[float, ganbench.LogUniform(3e-4, 5e-3)] = 1e-3
        beta: float = 1.0
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
        log_variance: float = -5.0

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.make_networks()
        self.log_variance = nn.Parameter(torch.tensor(float(config.log_variance)))
        self.images_seen = 0
        self.optimizer = torch.optim.Adam(self.parameters(), lr=config.lr, fused=True)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "N(0, I)"

    def make_networks(self) -> None:
        """Make `encoder`, from images to mean and log variance, and `decoder`, from latents to (n, *any) outputs."""
        pixels, hidden, latent_dim = math.prod(self.data.shape), self.config.hidden, self.config.latent_dim
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent_dim)
        )
        self.decoder = nn.Sequential(nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    @property
    def bernoulli(self) -> bool:
        return bool(self.config.likelihood == "bernoulli")

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | x), each (n, latent_dim)."""
        mean, log_variance = self.encoder(images).float().chunk(2, dim=1)
        return mean, log_variance

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return self.descend(self.bound(batch.images), len(batch.images))

    def descend(self, losses: dict[str, Tensor], images: int) -> dict[str, Tensor]:
        """Make one update from the losses of a batch of so many images, and return them."""
        self.optimizer.zero_grad(set_to_none=True)
        self.objective(losses).backward()
        self.optimizer.step()
        self.images_seen += images
        return losses

    @property
    def kl_weight(self) -> float:
        return float(self.config.beta)

    def objective(self, losses: dict[str, Tensor]) -> Tensor:
        return losses["reconstruction"] + self.kl_weight * losses["kl"]

    def bound(self, images: Tensor) -> dict[str, Tensor]:
        """Return the two terms of the negative evidence lower bound, nats an image, averaged over the batch."""
        mean, log_variance = self.posterior(images)
        latent = draw_normal(mean, log_variance)
        reconstruction = self.nats(images, self.decoder(latent)).mean()
        return {"reconstruction": reconstruction, "kl": self.kl(mean, log_variance, latent).mean()}

    def kl(self, mean: Tensor, log_variance: Tensor, latent: Tensor) -> Tensor:
        """Return KL(q(z | x) || p(z)) in nats, (n,); `latent` was drawn from q, for priors that need an estimate."""
        return gaussian_kl(mean, log_variance)

    def log_prior(self, latent: Tensor) -> Tensor:
        """Return log p(z), (...,), from (..., latent_dim)."""
        return log_normal(latent, torch.zeros_like(latent), torch.zeros_like(latent))

    def nats(self, images: Tensor, output: Tensor) -> Tensor:
        """Return -log p(x | z) in nats, (n,)."""
        pixels, output = images.flatten(1), output.flatten(1).float()
        if self.bernoulli:
            return F.binary_cross_entropy_with_logits(output, (pixels + 1) / 2, reduction="none").sum(1)
        residual = (pixels - output).square() / self.log_variance.exp()
        return 0.5 * (residual + self.log_variance + LOG_2PI).sum(1)

    def images(self, output: Tensor) -> Tensor:
        """Return the mean of p(x | z) as images in [-1, 1]."""
        images = 2 * output.sigmoid() - 1 if self.bernoulli else output.clamp(-1, 1)
        return images.unflatten(1, self.data.shape) if images.ndim == 2 else images

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.images(self.decoder(self.latent(n)))

    def latent(self, n: int) -> Tensor:
        """Return what samples are decoded from, (n, latent_dim)."""
        return torch.randn(n, self.config.latent_dim, device=self.log_variance.device)

    def log_weights(self, images: Tensor, samples: int) -> Tensor:
        """Return log p(x, z) - log q(z | x) in nats, (samples, n), for so many z drawn from q(z | x) of each image."""
        mean, log_variance = self.posterior(images)
        latent = draw_normal(mean.expand(samples, *mean.shape), log_variance)
        repeated = images.repeat(samples, *[1] * (images.ndim - 1))
        log_likelihood = -self.nats(repeated, self.decoder(latent.flatten(0, 1))).unflatten(0, (samples, -1))
        return log_likelihood + self.log_prior(latent) - log_normal(latent, mean, log_variance)

    @torch.no_grad()
    def log_likelihood(self, images: Tensor, samples: int = 100) -> Tensor:
        """Return a lower bound of log p(x) in bits per dimension, (n,): importance-sampled (arXiv:1509.00519, eq. 8).

        With the Bernoulli likelihood that is the probability of a binary image, whose values are -1 or 1; with the
        Gaussian one a density.
        """
        was_training = self.training
        self.eval()
        weights = [
            torch.cat([self.log_weights(part, min(50, samples - k)) for k in range(0, samples, 50)])
            for part in images.split(20)
        ]
        self.train(was_training)
        nats = torch.cat(weights, dim=1).logsumexp(0) - math.log(samples)
        return nats / (math.log(2) * math.prod(self.data.shape))


def warmed_up(images_seen: int, warmup: int) -> float:
    """Return a weight that rises linearly from 0 to 1 over the first `warmup` images (arXiv:1602.02282, section 2.3).

    The first batch has some weight already, so that no step leaves the KL term out.
    """
    return min(1.0, (images_seen + 1) / (warmup + 1))


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, exp log_variance) || N(0, I)) in nats, (n,), from (n, d)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def draw_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return a draw of N(mean, diag exp log_variance)."""
    return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()


def log_normal(value: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return log N(value; mean, diag exp log_variance) in nats, (...,), from (..., d)."""
    return -0.5 * ((value - mean).square() / log_variance.exp() + log_variance + LOG_2PI).sum(-1)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(VAE)
