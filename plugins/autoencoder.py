"""What autoencoders share: a decoder as deep as the encoder; where codes are points, a penalty and a fitted mixture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.layers import Activation, decoder, encoder
from ganbench_plugins.mixture import Mixture


class Autoencoder(ganbench.Model):
    """A convolutional encoder and decoder, squared error; samples are decoded from what was fitted to the codes.

    In `finish` a mixture of `components` Gaussians is fitted to the codes of all training images: ex-post density
    estimation (arXiv:1903.12436). Where `components` is 0 latents are drawn from N(0, I).
    """

    family = "autoencoder"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(16, 32, 64)] = 32
        latent_dim: Annotated[int, ganbench.LogUniform(6, 32)] = 16
        width: int = 24
        hidden: int = 256
        lr: Annotated[float, ganbench.LogUniform(3e-4, 5e-3)] = 1e-3
        components: int = 10

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.encoder = encoder(data, config.latent_dim, config.width, config.hidden, activation=nn.ReLU)
        self.decoder = deep_decoder(data, config.latent_dim, config.width, config.hidden)
        self.mixture = Mixture(config.latent_dim, config.components)
        self.optimizer = self.make_optimizer()

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"{config.components} Gaussians fitted to codes" if config.components else "N(0, I)"

    def make_optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.config.lr, fused=True)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        codes = self.encoder(batch.images)
        reconstruction = squared_error(self.decoder(codes), batch.images)
        losses = {"reconstruction": reconstruction} | self.penalties(batch.images, codes)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.optimizer.step()
        return losses

    def penalties(self, images: Tensor, codes: Tensor) -> dict[str, Tensor]:
        """Return what is added to the reconstruction's loss, each 0-d."""
        return {}

    @torch.no_grad()
    def finish(self, data: Batch) -> None:
        if self.config.components:
            self.mixture.fit(self.codes(data.images))

    def codes(self, images: Tensor) -> Tensor:
        """Return the codes of many images, (n, latent_dim), as when sampling."""
        was_training = self.training
        self.eval()
        codes = torch.cat([self.encoder(part) for part in images.split(500)])
        self.train(was_training)
        return codes

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.decoder(self.latent(n))  # type: ignore[no-any-return]

    def latent(self, n: int) -> Tensor:
        if self.config.components:
            return self.mixture.sample(n)
        return torch.randn(n, self.config.latent_dim, device=next(self.parameters()).device)


def deep_decoder(data: DataSpec, inputs: int, width: int, hidden: int, output: Activation = nn.Tanh) -> nn.Sequential:
    """Return `layers.decoder` behind one more hidden layer, as deep as the encoder: from (n, inputs) to (n, *shape)."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), *decoder(data, hidden, width, hidden, output=output))


def squared_error(output: Tensor, images: Tensor) -> Tensor:
    """Return half the squared error of an image, averaged over the batch: 0-d."""
    return 0.5 * (output - images).square().flatten(1).sum(1).mean()
