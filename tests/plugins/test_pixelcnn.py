"""What each output of the PixelCNN depends on, its probabilities, and its draws."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganbench.model import DataSpec
from ganbench_plugins.pixelcnn import PixelCNN


def model(shape: tuple[int, ...], **settings: int) -> PixelCNN:
    torch.manual_seed(0)
    found = PixelCNN(
        DataSpec(shape, 0, "toy", 64), PixelCNN.Config(**{"width": 4, "layers": 3, "levels": 3} | settings)
    )
    with torch.no_grad():
        for weight in found.parameters():
            weight.mul_(2)
    return found


def images(shape: tuple[int, ...], n: int = 1) -> Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("reach", [1, 2])
def test_each_pixel_depends_on_those_before_it_alone(reach: int) -> None:
    network = model((1, 5, 6), reach=reach).double()
    network.values = lambda levels: levels  # type: ignore[method-assign]
    seen = images((1, 5, 6)).double().requires_grad_(True)
    jacobian = torch.autograd.functional.jacobian(lambda x: network.logits(x).sum(2).flatten(), seen).view(30, 30)
    assert not jacobian.triu().any(), "a pixel sees itself or one after it"
    for i, j in ((4, 3), (2, 0), (1, 5), (3, 2)):
        place = 6 * i + j
        near = [6 * y + x for y in range(5) for x in range(6) if abs(y - i) <= reach and abs(x - j) <= reach]
        before = [other for other in near if other < place]
        assert (jacobian[place, before] != 0).all(), "a neighbour before it is hidden"


def test_channels_depend_on_those_before_them_alone() -> None:
    network = model((3, 2, 2)).double()
    network.values = lambda levels: levels  # type: ignore[method-assign]
    seen = images((3, 2, 2)).double().requires_grad_(True)
    jacobian = torch.autograd.functional.jacobian(lambda x: network.logits(x).sum(2)[0, :, 1, 1], seen)[:, 0, :, 1, 1]
    assert torch.equal(jacobian != 0, torch.ones(3, 3).tril(-1).bool())


def every_image(shape: tuple[int, int, int], values: Tensor) -> Tensor:
    return torch.cartesian_prod(*[values] * math.prod(shape)).view(-1, *shape)


@pytest.mark.parametrize("shape", [(1, 2, 2), (2, 1, 2)])
def test_probabilities_add_up_to_one_and_draws_follow_them(shape: tuple[int, int, int]) -> None:
    network = model(shape)
    every = every_image(shape, torch.tensor([-1.0, 0.0, 1.0]))
    with torch.no_grad():
        chances = (-network.nats(network.quantise(every))).exp()
        drawn = network.sample(40_000)
    assert float(chances.sum()) == pytest.approx(1, abs=1e-4)
    index = (network.quantise(drawn).flatten(1) * torch.tensor([27, 9, 3, 1])).sum(1)
    found = torch.bincount(index, minlength=81) / 40_000
    assert ((found - chances).abs() < 5 * (chances / 40_000).sqrt() + 1e-4).all()


def test_sampling_place_by_place_sees_what_the_whole_network_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the likeliest level drawn at each place, the sample is the one that the logits of the whole name."""
    network = model((2, 5, 7))
    monkeypatch.setattr(torch, "multinomial", lambda chances, n: chances.argmax(1, keepdim=True))
    with torch.no_grad():
        levels = network.quantise(network.sample(3))
        torch.testing.assert_close(network.logits(levels).argmax(2), levels)
    assert len(levels.unique()) > 1


def test_binary_images_have_a_probability_and_others_a_density() -> None:
    network = model((1, 2, 2), levels=4)
    with torch.no_grad():
        black = torch.full((1, 1, 2, 2), -1.0)
        bits = -network.nats(network.quantise(black)) / (4 * math.log(2))
        torch.testing.assert_close(network.log_likelihood(black), bits)
        # 4 bins, each 1/2 wide: a density is twice the probability of its bin.
        torch.testing.assert_close(network.log_likelihood(black + 0.1), bits + 1)
