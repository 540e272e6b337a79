"""Wasserstein autoencoder, MMD: Tolstikhin, Bousquet, Gelly, Schoelkopf 2018 (arXiv:1711.01558).

Squared error plus lambda times the unbiased estimate of the maximum mean discrepancy between codes and draws from
N(0, I), which then is what samples. The kernel is the paper's inverse multiquadratics C / (C + ||x - y||^2), summed
over C = scale * 2 d as in the authors' code; encoder and decoder are deterministic. Batches are of 100 as theirs, since
the estimate from 16 codes is mostly noise. For MNIST their loss is 0.05 times the squared error of pixels in [0, 1],
summed over an image, plus 10 times the MMD. The squared error here is halved and spans [-1, 1], so it is 2 where theirs
is 0.05: their weight corresponds to 400, which is the default.

What differs from the paper: networks are small (theirs has four convolutions up to 1,024 channels), latents are 10
and not 8, the learning rate is higher and does not fall, the images have no noise added, and a budget of
60,000 images is one pass of their hundred. `components` fits that many Gaussians to the codes after training instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

import ganbench
from ganbench_plugins.autoencoder import Autoencoder

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class WAEMMD(Autoencoder):
    name, paper = "wae-mmd", "arXiv:1711.01558"

    @dataclass(frozen=True)
    class Config(Autoencoder.Config):
        batch_size: Annotated[int, ganbench.Choice(32, 64, 100)] = 100
        latent_dim: int = 10
        lr: float = 2e-3
        mmd_weight: Annotated[float, ganbench.LogUniform(50.0, 2000.0)] = 400.0
        components: int = 0

    def penalties(self, images: Tensor, codes: Tensor) -> dict[str, Tensor]:
        return {"mmd": self.config.mmd_weight * mmd(torch.randn_like(codes), codes)}


def mmd(prior: Tensor, codes: Tensor) -> Tensor:
    """Return the unbiased estimate from (n, d) each, n of at least 2: 0-d; it may be negative."""
    n, d = codes.shape
    prior, codes = prior.float(), codes.float()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        distances = (x[:, None] - y[None]).square().sum(2)
        return torch.stack([scale * 2 * d / (scale * 2 * d + distances) for scale in SCALES]).sum(0)

    def within(x: Tensor) -> Tensor:
        matrix = kernel(x, x)
        return (matrix.sum() - matrix.trace()) / (n * (n - 1))

    return within(prior) + within(codes) - 2 * kernel(prior, codes).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(WAEMMD)
