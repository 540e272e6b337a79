"""Two-stage VAE: Dai & Wipf 2019 (arXiv:1903.05789), with the networks of `conv-vae`.

The first stage learns its decoder's variance, which sinks until images are rebuilt well and the codes fill the latent
space, though not as N(0, I). A second VAE, of the same latent dimension, learns the distribution of those codes. To
sample: u ~ N(0, I), z ~ p(z | u) of the second stage, then the mean of p(x | z) of the first. `second_stage=false`
leaves the second VAE out and draws latents from N(0, I).
What differs: networks are small, the learning rate does not fall, batches are of 16 and not of 100, latents are 10 and
not 64; the second stage is a perceptron without the paper's skip connection, and learns beside the first one,
from the same batches (draws of the first one's posterior, through which it sends no gradient), not after it: so both
share the budget's images, and samples on the way are those of a two-stage VAE too. Variances start at
exp(`log_variance`) and exp(`second_log_variance`), for in so few steps Adam takes them no further than about `lr` times
their number, and a second stage that starts at the codes' own variance learns nothing but that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.vae import draw_normal


class TwoStageVAE(ConvVAE):
    name, paper = "two-stage-vae", "arXiv:1903.05789"

    log_likelihood = ganbench.Model.log_likelihood  # none: the bound is that of N(0, I), which is not what samples

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        likelihood: Literal["auto", "bernoulli", "gaussian"] = "gaussian"
        log_variance: Annotated[float, ganbench.Uniform(-6.0, -2.0)] = -3.0
        second_log_variance: Annotated[float, ganbench.Uniform(-5.0, -1.0)] = -2.0
        second_hidden: int = 256
        second_stage: bool = True

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        if config.second_stage:
            codes = DataSpec((config.latent_dim,), 0, f"codes of {data.name}", data.n)
            self.second = ConvVAE(
                codes,
                ConvVAE.Config(
                    latent_dim=config.latent_dim,
                    hidden=config.second_hidden,
                    lr=config.lr,
                    log_variance=config.second_log_variance,
                ),
            )

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "N(0, I) through a second VAE" if config.second_stage else "N(0, I)"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        losses = super().step(batch)
        if not self.config.second_stage:
            return losses
        with torch.no_grad():
            codes = draw_normal(*self.posterior(batch.images))
        return losses | {f"second_{name}": loss for name, loss in self.second.step(Batch(codes, None)).items()}

    def latent(self, n: int) -> Tensor:
        if not self.config.second_stage:
            return super().latent(n)
        return draw_normal(self.second.decoder(super().latent(n)), self.second.log_variance)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(TwoStageVAE)
