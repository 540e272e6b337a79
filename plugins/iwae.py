"""Importance weighted autoencoder: Burda, Grosse, Salakhutdinov 2016 (arXiv:1509.00519), the networks of `conv-vae`.

The bound with k samples of the posterior, L_k = E log 1/k sum_i w_i with w_i = p(x, z_i) / q(z_i | x), rises towards
log p(x) with k; at k = 1 it is the VAE's, its KL term estimated from the sample. There is no `beta` but 1: the bound
does not fall into two terms. The default is k = 5, and `iwae[samples=1]` and `iwae[samples=50]` are the paper's other
two: one network, one optimiser, so that their nats compare. They do not compare with those of `vae`, which is fully
connected, nor with those of `conv-vae`, of width 24: k samples of each image are decoded, and 24 channels would take
twice the time of 16 (`conv-vae[width=16]` has the network of `iwae[samples=1]`).

What differs from the paper: its networks are perceptrons of two layers of 200 tanh units with 50 latents (and a second
model with two stochastic layers, left out), batches are of 20 and here of 16, and its learning rate falls from 1e-3 to
1e-4 over 3,280 epochs, where this budget has 20.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor

import ganbench
from ganbench import DataSpec
from ganbench_plugins.conv_vae import ConvVAE


class IWAE(ConvVAE):
    name, paper = "iwae", "arXiv:1509.00519"

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        width: int = 16
        samples: Annotated[int, ganbench.Choice(2, 5, 10)] = 5

    def __init__(self, data: DataSpec, config: Any) -> None:
        if config.beta != 1:
            raise ValueError(f"{self.name} weighs whole samples: its beta is 1, not {config.beta:g}")
        super().__init__(data, config)

    def bound(self, images: Tensor) -> dict[str, Tensor]:
        log_weights = self.log_weights(images, self.config.samples)
        return {"bound": -(log_weights.logsumexp(0) - math.log(self.config.samples)).mean()}

    def objective(self, losses: dict[str, Tensor]) -> Tensor:
        return losses["bound"]


@ganbench.hookimpl
def ganbench_register_models(register):
    register(IWAE)
