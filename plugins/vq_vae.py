"""Vector-quantised VAE: van den Oord, Vinyals, Kavukcuoglu 2017 (arXiv:1711.00937), with a prior learned as it goes.

The encoder gives a vector at each place of a grid a quarter of the image's size; the nearest of K codes takes its
place, and the decoder's gradient passes straight through to the encoder, which a commitment term of weight 0.25 ties to
its codes. What differs from the paper:
- codes follow a running average of the vectors that chose them (the paper's appendix A.1); one that none chooses starts
  again at a vector of the batch, which is also how all start;
- K is 32, and no residual blocks: a budget of minutes;
- the prior over the grid learns in the same step from the same batch, not afterwards, so that the budget binds it too.
  It is a PixelCNN of one wide layer (`code_prior`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.autoencoder import squared_error
from ganbench_plugins.code_prior import Prior
from ganbench_plugins.layers import quarter


class VQVAE(ganbench.Model):
    name, family, paper = "vq-vae", "autoencoder", "arXiv:1711.00937"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(8, 16, 32)] = 16
        codes: Annotated[int, ganbench.Choice(16, 32, 64, 128)] = 32
        code_dim: Annotated[int, ganbench.Choice(4, 8, 16, 32)] = 16
        width: int = 24
        lr: Annotated[float, ganbench.LogUniform(3e-4, 3e-3)] = 1e-3
        commitment: float = 0.25
        momentum: float = 0.99
        prior_width: int = 160
        prior_reach: int = 4
        prior_lr: Annotated[float, ganbench.LogUniform(5e-4, 8e-3)] = 2e-3

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} quantises a grid of places in an image, and {data.name} holds points")
        w, d, channels = config.width, config.code_dim, data.shape[0]
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, w, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * w),
            nn.ReLU(),
            nn.Conv2d(2 * w, d, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(d, 2 * w, 3, 1, 1, bias=False),
            nn.BatchNorm2d(2 * w),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False),
            nn.BatchNorm2d(w),
            nn.ReLU(),
            nn.ConvTranspose2d(w, channels, 4, 2, 1),
            nn.Tanh(),
        )
        self.codebook = Codebook(config.codes, d, config.momentum)
        self.prior = Prior(config.codes, quarter(data), config.prior_width, config.prior_reach)
        networks = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimizer = torch.optim.Adam(networks, lr=config.lr, fused=True)
        self.prior_optimizer = torch.optim.Adam(self.prior.parameters(), lr=config.prior_lr, fused=True)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "learned prior over codes"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        vectors = self.encoder(batch.images).float()
        chosen = self.codebook.nearest(vectors)
        quantised = self.codebook(chosen)
        losses = {
            "reconstruction": squared_error(self.decoder(straight_through(vectors, quantised)), batch.images),
            "commitment": self.config.commitment * (vectors - quantised).square().flatten(1).sum(1).mean(),
        }
        self.optimizer.zero_grad(set_to_none=True)
        (losses["reconstruction"] + losses["commitment"]).backward()
        self.optimizer.step()
        self.codebook.follow(vectors.detach(), chosen)
        losses["prior"] = self.prior.nats(chosen).mean()
        self.prior_optimizer.zero_grad(set_to_none=True)
        losses["prior"].backward()
        self.prior_optimizer.step()
        return losses

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.decoder(self.codebook(self.prior.sample(n)))  # type: ignore[no-any-return]


def straight_through(vectors: Tensor, quantised: Tensor) -> Tensor:
    """Return the quantised vectors, whose gradient goes to `vectors` unchanged."""
    return vectors + (quantised - vectors).detach()


class Codebook(nn.Module):
    """K codes that follow a running average of the vectors that choose them."""

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int, dimensions: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("vectors", torch.randn(codes, dimensions))
        self.register_buffer("counts", torch.zeros(codes))
        self.register_buffer("sums", torch.zeros(codes, dimensions))

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the index of the nearest code, (n, h, w), to each of (n, d, h, w)."""
        flat = vectors.detach().permute(0, 2, 3, 1)
        return torch.cdist(flat.flatten(0, 2), self.vectors).argmin(1).view(flat.shape[:3])

    def forward(self, chosen: Tensor) -> Tensor:
        return self.vectors[chosen].permute(0, 3, 1, 2)

    @torch.no_grad()
    def follow(self, vectors: Tensor, chosen: Tensor) -> None:
        """Move each code towards the mean of what chose it; one that hardly any chose starts again at one of them."""
        flat = vectors.permute(0, 2, 3, 1).flatten(0, 2)
        hits = F.one_hot(chosen.flatten(), len(self.counts)).to(flat.dtype)
        self.counts.lerp_(hits.sum(0), 1 - self.momentum)
        with torch.autocast(flat.device.type, enabled=False):
            self.sums.lerp_(hits.T @ flat, 1 - self.momentum)
        drawn = flat[torch.randint(len(flat), (len(self.counts),), device=flat.device)]
        dead = self.counts < 0.1
        self.counts.copy_(torch.where(dead, torch.ones_like(self.counts), self.counts))
        self.sums.copy_(torch.where(dead[:, None], drawn, self.sums))
        self.vectors.copy_(self.sums / self.counts[:, None])


@ganbench.hookimpl
def ganbench_register_models(register):
    register(VQVAE)
