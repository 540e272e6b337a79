"""Pairs of a real and a generated image, and both penalties, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ganbench.model import DataSpec
from ganbench_plugins.r3gan import R3GAN
from tests.plugins.critics import Linear, Quadratic

SPEC = DataSpec((2,), 0, "toy", 64)
REAL, FAKE = torch.tensor([[0.5, 1.0], [-1.0, 0.0]]), torch.tensor([[-0.5, 0.0], [0.5, -0.25]])


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def test_losses_compare_pairs() -> None:
    model = R3GAN(SPEC, R3GAN.Config(gamma=0.0))
    model.discriminator = Linear(2.0)
    leads = [3.0 - -1.0, -2.0 - 0.5]
    expected = sum(softplus(-lead) for lead in leads) / 2
    assert float(model.discriminator_loss(REAL, FAKE, None).detach()) == pytest.approx(expected)
    expected = sum(softplus(lead) for lead in leads) / 2
    assert float(model.generator_loss(REAL, FAKE, None).detach()) == pytest.approx(expected)


@pytest.mark.parametrize("both", [True, False])
def test_penalties_are_half_gamma_times_squared_slopes(both: bool) -> None:
    weight, gamma = 0.7, 3.0
    model = R3GAN(SPEC, R3GAN.Config(gamma=gamma, fake_penalty=both))
    model.discriminator = critic = Quadratic(weight)
    r1, r2 = weight**2 * (1.25 + 1.0) / 2, both * weight**2 * (0.25 + 0.3125) / 2
    leads = [weight * (1.25 - 0.25) / 2, weight * (1.0 - 0.3125) / 2]
    expected = sum(softplus(-lead) for lead in leads) / 2 + gamma / 2 * (r1 + r2)
    loss = model.discriminator_loss(REAL, FAKE, None)
    assert float(loss.detach()) == pytest.approx(expected)
    loss.backward()
    assert critic.weight.grad is not None
    slopes = sum(-lead / weight / (1 + math.exp(lead)) for lead in leads) / 2 + gamma * (r1 + r2) / weight
    assert float(critic.weight.grad) == pytest.approx(slopes), "the penalties must be learnt from"


def test_no_network_normalises_and_signals_do_not_fade() -> None:
    torch.manual_seed(0)
    model = R3GAN(DataSpec((1, 8, 8), 0, "toy", 64), R3GAN.Config())
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())
    with torch.no_grad():
        images = model.generator(model.latent(200))
    assert float(images.std(0).mean()) > 0.1, "images differ"
    assert float((images.abs() > 0.99).float().mean()) < 0.01, "and are not saturated"


def test_biases_are_not_all_zero() -> None:
    """On points, zero biases would put all kinks of a first layer through the origin."""
    first = R3GAN(SPEC, R3GAN.Config()).discriminator[0]
    assert len(first.bias.unique()) == len(first.bias)
