"""Regularised autoencoder, gradient penalty: Ghosh, Sajjadi, Vergari, Black, Schoelkopf 2020 (arXiv:1903.12436).

RAE-L2 with the decoder smoothed by ||dD(z)/dz||^2 at the codes instead of weight decay. The squared Frobenius norm of
that Jacobian J would take a derivative for each pixel. Here it is estimated without bias from one: for v drawn from
N(0, I), one number a pixel, the mean of ||J^T v||^2 is ||J||^2 (the authors' code takes v = 2 D(z), one product too).
The codes are constants in it, so that it moves the decoder alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

import ganbench
from ganbench_plugins.rae_l2 import RAEL2


class RAEGP(RAEL2):
    name = "rae-gp"

    @dataclass(frozen=True)
    class Config(RAEL2.Config):
        decoder_weight: Annotated[float, ganbench.LogUniform(1e-5, 1.0)] = 1e-2

    def roughness(self, codes: Tensor) -> Tensor:
        return squared_jacobian(self.decoder, codes.detach())


def squared_jacobian(decoder: torch.nn.Module, codes: Tensor) -> Tensor:
    """Return an estimate of ||J||^2 at each code, averaged: 0-d, and differentiable by the decoder's parameters."""
    codes = codes.float().requires_grad_(True)
    output = decoder(codes)
    (product,) = torch.autograd.grad(output, codes, torch.randn_like(output), create_graph=True)
    return product.float().square().sum(1).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(RAEGP)
