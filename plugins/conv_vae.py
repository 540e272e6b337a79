"""Variational autoencoder (arXiv:1312.6114) with convolutions, as the benchmark of pythae has it (arXiv:2206.08309).

What differs from that benchmark: networks are small (`layers.encoder`, `layers.decoder`), batches are of 16, and the
likelihood is Bernoulli for images and Gaussian for points (`auto`), not Gaussian of a fixed variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

import ganbench
from ganbench_plugins.autoencoder import deep_decoder
from ganbench_plugins.layers import encoder
from ganbench_plugins.vae import VAE


class ConvVAE(VAE):
    name, paper = "conv-vae", "arXiv:2206.08309"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 16
        latent_dim: int = 10
        width: int = 24
        hidden: int = 256
        lr: float = 2e-3
        beta: float = 1.0
        likelihood: Literal["auto", "bernoulli", "gaussian"] = "auto"

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
