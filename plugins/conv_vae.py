"""Variational autoencoder (arXiv:1312.6114) with convolutions, as the benchmark of pythae has it (arXiv:2206.08309).

What differs from that benchmark: networks are small (`layers.encoder`, `layers.decoder`: two convolutions where it has
four, 24 channels where it has 128), latents are 10 and not 16, batches are of 16 and not of 100, the learning rate is
twice its 1e-3 and never falls, and the last weights are kept, not those of the best epoch. The likelihood is Bernoulli
for images and Gaussian for points (`auto`), not Gaussian of a fixed variance; the Gaussian one learns its variance from
exp(`log_variance`) on, which must be well below the spread of the data (see `vae`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

import ganbench
from ganbench_plugins.autoencoder import deep_decoder
from ganbench_plugins.layers import encoder
from ganbench_plugins.vae import VAE


class ConvVAE(VAE):
    name, paper = "conv-vae", "arXiv:2206.08309"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(16, 32, 64, 100)] = 16
        latent_dim: Annotated[int, ganbench.LogUniform(4, 32)] = 10
        width: Annotated[int, ganbench.Choice(16, 24, 32)] = 24
        hidden: int = 256
        lr: Annotated[float, ganbench.LogUniform(5e-4, 5e-3)] = 2e-3
        beta: float = 1.0
        likelihood: Literal["auto", "bernoulli", "gaussian"] = "auto"
        log_variance: float = -5.0

    def make_networks(self) -> None:
        config = self.config
        self.encoder = encoder(self.data, 2 * config.latent_dim, config.width, config.hidden, activation=nn.ReLU)
        self.decoder = self.make_decoder(config.latent_dim)

    def make_decoder(self, inputs: int) -> nn.Module:
        """Return a network from (n, inputs) to what stands for p(x | z)."""
        return deep_decoder(self.data, inputs, self.config.width, self.config.hidden, nn.Identity)

    @property
    def bernoulli(self) -> bool:
        if self.config.likelihood == "auto":
            return len(self.data.shape) == 3
        return bool(self.config.likelihood == "bernoulli")


@ganbench.hookimpl
def ganbench_register_models(register):
    register(ConvVAE)
