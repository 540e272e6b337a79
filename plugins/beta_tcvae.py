"""beta-TCVAE: Chen, Li, Grosse, Duvenaud 2018 (arXiv:1802.04942), with the networks of `conv-vae`.

The KL term of the bound, averaged over the data, is the sum of the mutual information between images and codes, the
total correlation KL(q(z) || prod_j q(z_j)), and the KL divergence of each dimension from its prior (eq. 2). Only the
total correlation, which factorised codes do not have, is weighted by `beta`; with 1 this is `conv-vae`.

q(z), the mean of the posteriors of all N training images, is estimated from the batch by stratified sampling (the
paper's appendix C): the image that z was drawn for counts 1/N, as in q(z) itself, and the other B - 1 share the rest
equally. That is unbiased; the paper's stratified weights give one of the others another share. Its main results take
weighted sampling, which is biased, instead.

What differs from the paper: images of digits, not of shapes and faces; the small networks of `conv-vae`, batches of 32
where it has 2,048, a learning rate of 2e-3 where it has 1e-3, and a `beta` of 2, as in `beta-vae`, where it has 6 or
more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

import ganbench
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.vae import LOG_2PI, draw_normal


class BetaTCVAE(ConvVAE):
    name, paper = "beta-tcvae", "arXiv:1802.04942"

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        batch_size: int = 32
        beta: Annotated[float, ganbench.LogUniform(0.5, 12.0)] = 2.0

    def bound(self, images: Tensor) -> dict[str, Tensor]:
        """Return the four terms of the negative bound, nats an image, averaged over the batch."""
        mean, log_variance = self.posterior(images)
        latent = draw_normal(mean, log_variance)
        reconstruction = self.nats(images, self.decoder(latent)).mean()
        return {"reconstruction": reconstruction} | decomposed_kl(latent, mean, log_variance, self.data.n)

    def objective(self, losses: dict[str, Tensor]) -> Tensor:
        return (
            losses["reconstruction"]
            + losses["mutual_information"]
            + self.kl_weight * losses["total_correlation"]
            + losses["dimension_kl"]
        )


def decomposed_kl(latent: Tensor, mean: Tensor, log_variance: Tensor, n: int) -> dict[str, Tensor]:
    """Return estimates of the three parts of the KL term in nats, each 0-d; they may be negative.

    Row i of `latent` (B, d) was drawn from N(mean_i, diag exp log_variance_i), the posterior of image i of B out of n.
    """
    b = len(latent)
    residual = (latent[:, None] - mean).square() / log_variance.exp()
    log_q = -0.5 * (residual + log_variance + LOG_2PI)  # log q(z_i's j-th entry | x_k) at (i, k, j)
    own = torch.eye(b, dtype=torch.bool, device=latent.device)
    others = math.log((1 - 1 / n) / (b - 1)) if b > 1 and n > 1 else -math.inf
    log_share = torch.where(own, -math.log(n) if b > 1 else 0.0, others)
    log_q_own = log_q[own].sum(1)
    log_q_z = (log_q.sum(2) + log_share).logsumexp(1)
    log_q_product = (log_q + log_share[:, :, None]).logsumexp(1).sum(1)
    log_p_z = -0.5 * (latent.square() + LOG_2PI).sum(1)
    return {
        "mutual_information": (log_q_own - log_q_z).mean(),
        "total_correlation": (log_q_z - log_q_product).mean(),
        "dimension_kl": (log_q_product - log_p_z).mean(),
    }


@ganbench.hookimpl
def ganbench_register_models(register):
    register(BetaTCVAE)
