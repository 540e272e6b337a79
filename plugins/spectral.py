"""Spectral normalisation (arXiv:1802.05957): each weight is divided by an estimate of its largest singular value.

torch's `spectral_norm` makes a power iteration whenever a network in training mode is evaluated; the paper makes one an
update, which `iterate` does here. Weights so normalised can be averaged, as those of BigGAN's generator are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize


class SpectralNorm(nn.Module):
    """Divides a weight, read as a matrix W of one row an output, by an estimate of its largest singular value.

    The estimate is |W v|, where v is W^T u normalised; `iterate` brings u nearer to the first left singular vector and
    is called once an update, whatever number of times the network was evaluated. The length of u does not matter, so
    that the average of several u is as good as each.
    """

    u: Tensor

    def __init__(self, weight: Tensor, iterations: int = 15) -> None:
        super().__init__()
        self.register_buffer("u", F.normalize(torch.randn(len(weight)), dim=0))
        for _ in range(iterations):
            self.iterate(weight)

    @torch.no_grad()
    def iterate(self, weight: Tensor) -> None:
        """Make one power iteration."""
        matrix = weight.flatten(1)
        self.u.copy_(F.normalize(matrix.mv(self.right(matrix)), dim=0))

    def right(self, matrix: Tensor) -> Tensor:
        return F.normalize(matrix.detach().t().mv(self.u), dim=0)

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            return weight / torch.linalg.vector_norm(matrix.mv(self.right(matrix)))


def normalise_spectrally(network: nn.Module) -> None:
    """Normalise all convolutions, linear layers and embeddings of a network whose weights are drawn already."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))


def iterate(network: nn.Module) -> None:
    """Make one power iteration for each weight that is normalised."""
    for module in network.modules():
        if isinstance(module, parametrize.ParametrizationList) and isinstance(module[0], SpectralNorm):
            module[0].iterate(module.original)
