"""VAE with a VampPrior: Tomczak & Welling 2018 (arXiv:1705.07120), with the networks of `conv-vae`.

The prior is the mixture of the posteriors of `components` learned pseudo-inputs u_k, p(z) = 1/K sum_k q(z | u_k), so it
learns with the encoder. Its KL term has no closed form: one sample estimates log q(z | x) - log p(z).
The encoder has no batch normalisation, whose statistics pseudo-inputs would share with images. One layer of latents,
as in the paper's section 3; the hierarchy of its section 4 is left out. The weight of the KL term rises from 0 to 1
over the first `warmup` images.

What differs from the paper: 200 pseudo-inputs, where it has 500, since all of them go through the encoder in each step:
on 28x28 a step on 32 images takes twice as long with 500. Networks (its encoder and decoder are gated perceptrons of
two layers of 300 units, with 40 latents); batches of 32 and not of 100; a warm-up of a quarter of the quick budget, 5
epochs, where it has 100. Pseudo-inputs start as grey noise of deviation 0.5, and are cut to [-1, 1] as by the paper's
hard tanh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import DataSpec
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.layers import encoder
from ganbench_plugins.vae import draw_normal, log_normal, warmed_up


class Vamp(ConvVAE):
    name, paper = "vamp", "arXiv:1705.07120"

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        batch_size: Annotated[int, ganbench.Choice(32, 64, 100)] = 32
        components: Annotated[int, ganbench.Choice(50, 100, 200, 300)] = 200
        warmup: Annotated[int, ganbench.Choice(0, 5_000, 15_000, 30_000)] = 15_000

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.pseudo = nn.Parameter(0.5 * torch.randn(config.components, *data.shape))
        self.optimizer.add_param_group({"params": [self.pseudo]})

    @property
    def kl_weight(self) -> float:
        return super().kl_weight * warmed_up(self.images_seen, self.config.warmup)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"VampPrior: posteriors of {config.components} learned pseudo-inputs"

    def make_networks(self) -> None:
        super().make_networks()
        sizes = 2 * self.config.latent_dim, self.config.width, self.config.hidden
        self.encoder = encoder(self.data, *sizes, activation=nn.ReLU, norm=False)

    def prior(self) -> tuple[Tensor, Tensor]:
        """Return means and log variances of the prior's components, (K, latent_dim)."""
        return self.posterior(self.pseudo.clamp(-1, 1))

    def log_prior(self, latent: Tensor) -> Tensor:
        return log_normal(latent[..., None, :], *self.prior()).logsumexp(-1) - math.log(self.config.components)

    def kl(self, mean: Tensor, log_variance: Tensor, latent: Tensor) -> Tensor:
        return log_normal(latent, mean, log_variance) - self.log_prior(latent)

    def latent(self, n: int) -> Tensor:
        mean, log_variance = self.prior()
        k = torch.randint(len(mean), (n,), device=mean.device)
        return draw_normal(mean[k], log_variance[k])


@ganbench.hookimpl
def ganbench_register_models(register):
    register(Vamp)
