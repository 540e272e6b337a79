"""Adversarial autoencoder: Makhzani, Shlens, Jaitly, Goodfellow, Frey 2016 (arXiv:1511.05644).

Each step has the paper's two phases. Reconstruction: encoder and decoder lower the squared error. Regularisation: a
discriminator learns to tell draws from N(0, I) from codes, then the encoder learns to fool it; draws from N(0, I) are
what samples. What differs from the paper: the encoder is deterministic (its first choice), Adam takes the place of SGD
with momentum, batches are of 16 and not of 100, the networks are convolutional (its have two hidden layers of 1,000
units), the prior is N(0, I) in 10 dimensions (its is N(0, 25 I) in 8), and the encoder has a second optimiser for the
second phase. `components` fits that many Gaussians to the codes after training instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.autoencoder import Autoencoder
from ganbench_plugins.layers import perceptron


class AAE(Autoencoder):
    name, paper = "aae", "arXiv:1511.05644"

    @dataclass(frozen=True)
    class Config(Autoencoder.Config):
        batch_size: int = 16
        latent_dim: int = 10
        lr: float = 2e-3
        adversarial_lr: Annotated[float, ganbench.LogUniform(1e-4, 2e-3)] = 5e-4
        beta1: float = 0.5
        components: int = 0

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.discriminator = torch.nn.Sequential(*perceptron(config.latent_dim, config.hidden, config.hidden, 1))
        adam = {"lr": config.adversarial_lr, "betas": (config.beta1, 0.999), "fused": True}
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.encoder_optimizer = torch.optim.Adam(self.encoder.parameters(), **adam)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        losses = super().step(batch)
        codes = self.encoder(batch.images)
        losses["discriminator"] = self.discriminator_loss(torch.randn_like(codes), codes.detach())
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        losses["discriminator"].backward()
        self.discriminator_optimizer.step()
        self.discriminator.requires_grad_(False)
        losses["encoder"] = self.encoder_loss(codes)
        self.encoder_optimizer.zero_grad(set_to_none=True)
        losses["encoder"].backward()
        self.encoder_optimizer.step()
        self.discriminator.requires_grad_(True)
        return losses

    def discriminator_loss(self, prior: Tensor, codes: Tensor) -> Tensor:
        return F.softplus(-self.discriminator(prior)).mean() + F.softplus(self.discriminator(codes)).mean()

    def encoder_loss(self, codes: Tensor) -> Tensor:
        return F.softplus(-self.discriminator(codes)).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(AAE)
