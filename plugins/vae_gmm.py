"""VAE sampled from a fitted mixture: Ghosh et al. 2020, ex-post density estimation (arXiv:1903.12436, section 4).

Trained as `conv-vae`, its KL term weighted by `beta`. Then a mixture of Gaussians is fitted to codes of the training
images and takes the place of the prior, which such codes do not follow. A code is a draw of the posterior, as what the
decoder has learned from: fitted to the posterior's means, the mixture is narrower by the posterior's variance.
The paper fits 10 Gaussians too, to a VAE with a Gaussian likelihood whose KL weight it chose by search; networks and
the Bernoulli likelihood are those of `conv-vae` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.mixture import Mixture
from ganbench_plugins.vae import draw_normal


class VAEGMM(ConvVAE):
    name, paper = "vae-gmm", "arXiv:1903.12436"

    log_likelihood = ganbench.Model.log_likelihood  # none: the bound is that of N(0, I), which is not what samples

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        latent_dim: int = 12
        lr: float = 1e-3
        beta: Annotated[float, ganbench.LogUniform(0.02, 1.0)] = 0.2
        components: Annotated[int, ganbench.Choice(5, 10, 20, 40)] = 10

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.mixture = Mixture(config.latent_dim, config.components)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"{config.components} Gaussians fitted to codes"

    @torch.no_grad()
    def finish(self, data: Batch) -> None:
        was_training = self.training
        self.eval()
        self.mixture.fit(torch.cat([draw_normal(*self.posterior(part)) for part in data.images.split(500)]))
        self.train(was_training)

    def latent(self, n: int) -> Tensor:
        return self.mixture.sample(n)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(VAEGMM)
