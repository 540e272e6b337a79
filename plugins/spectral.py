"""Spectral normalisation (arXiv:1802.05957): each weight is divided by an estimate of its largest singular value.

A convolution's weight is read as a matrix of one row an output channel. torch's `spectral_norm` improves the estimate
by power iterations whenever a network in training mode is evaluated; the paper does so once an update of the
discriminator. `held` is for all other evaluations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import ParametrizationList


def normalise_spectrally(network: nn.Module, power_iterations: int = 1) -> None:
    """Normalise all convolutions, linear layers and embeddings of a network whose weights are drawn already."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            spectral_norm(layer, n_power_iterations=power_iterations)


@contextmanager
def held(network: nn.Module) -> Iterator[None]:
    """Leave the estimates of the singular values as they are within a `with` block."""
    weights = [module for module in network.modules() if isinstance(module, ParametrizationList)]
    modes = [weight.training for weight in weights]
    for weight in weights:
        weight.eval()
    yield
    for weight, mode in zip(weights, modes, strict=True):
        weight.train(mode)
