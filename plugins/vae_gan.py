"""VAE/GAN: Larsen, Soenderby, Larochelle, Winther 2016 (arXiv:1512.09300).

A VAE's likelihood is a unit Gaussian around the discriminator's features of the reconstruction (its second layer),
instead of its pixels; the decoder is also the generator of a GAN. As in the paper's algorithm 1 the encoder learns
from KL + likelihood, the decoder from gamma * likelihood - GAN, the discriminator from the GAN's loss alone, which
takes reconstructions and samples from N(0, I) for generated. What differs: the decoder's part of the GAN's loss is the
non-saturating one, Adam takes the place of RMSProp, and networks are dcgan's small ones, without its averaged weights
and shifted images; weights are drawn as `layers.initialise` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.autoencoder import squared_error
from ganbench_plugins.layers import decoder, encoder, initialise
from ganbench_plugins.vae import gaussian_kl


class VAEGAN(ganbench.Model):
    name, family, paper = "vae-gan", "vae", "arXiv:1512.09300"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(16, 32, 64)] = 32
        latent_dim: Annotated[int, ganbench.LogUniform(6, 32)] = 10
        width: int = 24
        hidden: int = 256
        lr: Annotated[float, ganbench.LogUniform(2e-4, 3e-3)] = 1e-3
        beta1: Annotated[float, ganbench.Choice(0.0, 0.5)] = 0.5
        gamma: Annotated[float, ganbench.LogUniform(1e-3, 1e-1)] = 1e-2

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        sizes = {"width": config.width, "hidden": config.hidden}
        self.encoder = encoder(data, 2 * config.latent_dim, **sizes)
        self.decoder = decoder(data, config.latent_dim, **sizes)
        self.discriminator = encoder(data, 1, **sizes)
        networks = (self.encoder, self.decoder, self.discriminator)
        for network in networks:
            initialise(network)
        adam = {"lr": config.lr, "betas": (config.beta1, 0.999), "fused": True}
        self.encoder_optimizer, self.decoder_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(network.parameters(), **adam) for network in networks
        )

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "N(0, I)"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        losses = self.losses(batch.images)
        kl, likelihood, generator, discriminator = losses.values()
        learners = (
            (self.encoder, self.encoder_optimizer, kl + likelihood),
            (self.decoder, self.decoder_optimizer, self.config.gamma * likelihood + generator),
            (self.discriminator, self.discriminator_optimizer, discriminator),
        )
        for network, optimizer, loss in learners:
            optimizer.zero_grad(set_to_none=True)
            loss.backward(inputs=list(network.parameters()), retain_graph=True)
        for _, optimizer, _ in learners:
            optimizer.step()
        return losses

    def losses(self, real: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.encoder(real).float().chunk(2, dim=1)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        shown = (real, self.decoder(latent), self.decoder(torch.randn_like(latent)))
        layer, rest = self.discriminator[:-3], self.discriminator[-3:]
        features = [layer(images) for images in shown]
        on_real, on_again, on_fake = (rest(seen) for seen in features)
        return {
            "kl": gaussian_kl(mean, log_variance).mean(),
            "likelihood": squared_error(features[1], features[0]),
            "generator": F.softplus(-on_again).mean() + F.softplus(-on_fake).mean(),
            "discriminator": F.softplus(-on_real).mean() + F.softplus(on_again).mean() + F.softplus(on_fake).mean(),
        }

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        device = next(self.parameters()).device
        return self.decoder(torch.randn(n, self.config.latent_dim, device=device))  # type: ignore[no-any-return]


@ganbench.hookimpl
def ganbench_register_models(register):
    register(VAEGAN)
