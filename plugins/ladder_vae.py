"""Ladder VAE: Soenderby, Raiko, Maaloe, Soenderby, Winther 2016 (arXiv:1602.02282), on the networks of `conv-vae`.

There are `levels` layers of latents, each half as wide as the one below. An upward pass, deterministic, gives each
layer i features d_i and from them a Gaussian N(mu_i, s_i^2). The generative model goes down from z_L ~ N(0, I):
p(z_i | z_{i+1}) is a Gaussian too. The posterior goes down as well, and shares that path: q(z_i | z_{i+1}, x) is the
product of both Gaussians, weighted by their precisions, and q(z_L | x) is the upward one alone. The
weight of all KL terms rises from 0 to 1 over the first `warmup` images (section 2.3), which keeps upper layers in use.

The lowest layer has 10 latents as `conv-vae` has, so that the two differ by the ladder and the warm-up alone.

What differs from the paper: two layers by default, where it has five (of 64, 32, 16, 8 and 4); the lowest encoder and
decoder are the convolutional ones of `conv-vae`, where it has perceptrons of 512 units; other layers are perceptrons
of `hidden` units, with batch normalisation on the way up alone; log variances are linear, not a softplus; batches of 16
and not of 256, and a warm-up of a quarter of the quick budget where it has 200 epochs of 2,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.layers import encoder, perceptron
from ganbench_plugins.vae import draw_normal, gaussian_kl, log_normal, warmed_up


class LadderVAE(ConvVAE):
    name, paper = "ladder-vae", "arXiv:1602.02282"

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        latent_dim: Annotated[int, ganbench.Choice(10, 16, 32)] = 10
        levels: Annotated[int, ganbench.Choice(2, 3, 4)] = 2
        warmup: Annotated[int, ganbench.Choice(0, 5_000, 15_000, 30_000)] = 15_000

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"N(0, I) at the top of {config.levels} layers"

    @property
    def kl_weight(self) -> float:
        return super().kl_weight * warmed_up(self.images_seen, self.config.warmup)

    def make_networks(self) -> None:
        config, hidden = self.config, self.config.hidden
        widths = [max(1, config.latent_dim >> level) for level in range(config.levels)]
        self.encoder = encoder(self.data, hidden, config.width, hidden, activation=nn.ReLU)
        self.up = nn.ModuleList(nn.Sequential(*perceptron(hidden, hidden, hidden)) for _ in widths[1:])
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in widths)
        self.heads = nn.ModuleList(nn.Linear(hidden, 2 * width) for width in widths)
        self.down = nn.ModuleList(
            nn.Sequential(*perceptron(above, hidden, 2 * width))
            for width, above in zip(widths[:-1], widths[1:], strict=True)
        )
        self.decoder = self.make_decoder(config.latent_dim)
        self.widths = widths

    def climb(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return mean and log variance of the upward pass for each layer, from the lowest, each (n, d_i)."""
        features = [self.norms[0](self.encoder(images)).relu()]
        for layer, norm in zip(self.up, self.norms[1:], strict=True):
            features.append(norm(layer(features[-1])).relu())
        return [gaussian(head(seen)) for head, seen in zip(self.heads, features, strict=True)]

    def descend_ladder(self, climbed: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
        """Draw z_1 from q(z | x); return it, the KL terms (n,) and log p(z) - log q(z | x) (n,), summed over layers."""
        mean, log_variance = climbed[-1]
        latent = draw_normal(mean, log_variance)
        kl = gaussian_kl(mean, log_variance)
        ratio = self.log_prior(latent) - log_normal(latent, mean, log_variance)
        for up, layer in zip(climbed[-2::-1], reversed(self.down), strict=True):
            prior = gaussian(layer(latent))
            posterior = weigh_by_precision(up, prior)
            latent = draw_normal(*posterior)
            kl = kl + kl_between(posterior, prior)
            ratio = ratio + log_normal(latent, *prior) - log_normal(latent, *posterior)
        return latent, kl, ratio

    def bound(self, images: Tensor) -> dict[str, Tensor]:
        latent, kl, _ = self.descend_ladder(self.climb(images))
        return {"reconstruction": self.nats(images, self.decoder(latent)).mean(), "kl": kl.mean()}

    def log_weights(self, images: Tensor, samples: int) -> Tensor:
        climbed = [(mean.repeat(samples, 1), spread.repeat(samples, 1)) for mean, spread in self.climb(images)]
        latent, _, ratio = self.descend_ladder(climbed)
        repeated = images.repeat(samples, *[1] * (images.ndim - 1))
        return (ratio - self.nats(repeated, self.decoder(latent))).unflatten(0, (samples, -1))

    def latent(self, n: int) -> Tensor:
        latent = torch.randn(n, self.widths[-1], device=self.log_variance.device)
        for layer in reversed(self.down):
            latent = draw_normal(*gaussian(layer(latent)))
        return latent


def gaussian(output: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and log variance, (n, d) each, from (n, 2 d)."""
    mean, log_variance = output.float().chunk(2, dim=1)
    return mean, log_variance


def weigh_by_precision(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean and log variance of the normalised product of two Gaussians."""
    log_precision = torch.logaddexp(-a[1], -b[1])
    share = (-a[1] - log_precision).exp()
    return share * a[0] + (1 - share) * b[0], -log_precision


def kl_between(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> Tensor:
    """Return KL(a || b) of Gaussians given by mean and log variance, in nats, (n,)."""
    return gaussian_kl((a[0] - b[0]) * (-0.5 * b[1]).exp(), a[1] - b[1])


@ganbench.hookimpl
def ganbench_register_models(register):
    register(LadderVAE)
