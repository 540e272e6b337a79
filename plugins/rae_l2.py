"""Regularised autoencoder, L2: Ghosh, Sajjadi, Vergari, Black, Schoelkopf 2020 (arXiv:1903.12436).

To the squared error it adds beta * 1/2 ||z||^2, which bounds the codes, and lambda * ||theta||^2 over the decoder's
parameters, which smooths the decoder; latents are drawn from 10 Gaussians fitted to the codes. The squared error is
halved here and pixels span [-1, 1], so that both weights are those of an error twice the paper's. What else differs:
networks are smaller (two convolutions where the paper has four), batches are of 16 and not of 100, the learning rate
does not fall, and weights are the last, not those of the best epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

import ganbench
from ganbench_plugins.autoencoder import Autoencoder


class RAEL2(Autoencoder):
    name, paper = "rae-l2", "arXiv:1903.12436"

    @dataclass(frozen=True)
    class Config(Autoencoder.Config):
        batch_size: int = 16
        code_weight: Annotated[float, ganbench.LogUniform(1e-4, 1.0)] = 1e-2
        decoder_weight: Annotated[float, ganbench.LogUniform(1e-6, 1e-2)] = 1e-4

    def penalties(self, images: Tensor, codes: Tensor) -> dict[str, Tensor]:
        return {
            "codes": self.config.code_weight * 0.5 * codes.float().square().sum(1).mean(),
            "decoder": self.config.decoder_weight * self.roughness(codes),
        }

    def roughness(self, codes: Tensor) -> Tensor:
        """Return how far the decoder is from smooth, 0-d."""
        return torch.stack([weight.square().sum() for weight in self.decoder.parameters()]).sum()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(RAEL2)
