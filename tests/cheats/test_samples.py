"""Cheats that need digits of full size, on arrays: noise that is fitted to the track's extractor."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from ganbench.data.dataset import Dataset
from ganbench.data.pixels import to_uint8
from ganbench.extractors.bundled import LENETS
from ganbench.metrics import FrechetReference, spectral_distance
from ganbench.scoring.features import extract

from ..boards.factory import make, rows
from ..once import MakeOnce

CPU = torch.device("cpu")
N = 100


class Found(NamedTuple):
    """FID by the extractor that noise is fitted to, by the other one, and spectrum: of what is fitted, and of noise."""

    fitted: tuple[float, float, float]
    noise: tuple[float, float, float]


def fitted(train: Tensor, steps: int = 50) -> Tensor:
    """Return noise with the features of training images."""
    network = LENETS[0].load(CPU, None)._network  # type: ignore[attr-defined]
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        target = network(train.float() / 127.5 - 1)[0]
    noise = (0.5 * torch.randn(train.shape, generator=random)).requires_grad_()
    optimiser = torch.optim.Adam([noise], lr=0.15)
    for _ in range(steps):
        optimiser.zero_grad()
        (network(torch.tanh(noise))[0] - target).square().sum(dim=1).mean().backward()
        optimiser.step()
    return to_uint8(torch.tanh(noise.detach()))


@pytest.fixture(scope="module")
def found(make_once: MakeOnce, mnist5k: Dataset) -> Found:
    def measure(images: Tensor) -> tuple[float, float, float]:
        real = torch.from_numpy(mnist5k.test.images)
        one, other = (
            FrechetReference(extract(network, real).features).distance(extract(network, images).features)
            for network in (source.load(CPU, None) for source in LENETS)
        )
        return one, other, spectral_distance(real, images)

    def make_all(folder: object) -> Found:
        made = fitted(torch.from_numpy(mnist5k.train.images[:N]))
        return Found(measure(made), measure(torch.randint(0, 256, made.shape, dtype=torch.uint8)))

    return make_once("fitted-noise", make_all)


def test_noise_that_is_fitted_to_an_extractor_shows_in_pixels(found: Found) -> None:
    assert found.fitted[0] < found.noise[0] / 10
    made = make("fitted", 0, found.fitted[0], spectrum=found.fitted[2])
    row, _ = rows([made, make("noise", 0, found.noise[0], role="floor")])
    (flag,) = row.flags
    assert flag.startswith("may be fitted to the extractor: FID") and "spectrum" in flag


def test_it_shows_under_an_extractor_that_it_was_not_fitted_to(found: Found) -> None:
    own, other = (found.fitted[at] / found.noise[at] for at in (0, 1))
    assert other > 0.5 > 5 * own
