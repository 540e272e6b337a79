"""Wasserstein critics: weights that stay clipped, and a penalty that is the closed form's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.slopes import input_gradient
from ganbench_plugins.wgan import WGAN
from ganbench_plugins.wgan_gp import WGANGP, between
from tests.plugins.critics import Linear, Quadratic

POINTS, IMAGES = DataSpec((4,), 0, "toy", 64), DataSpec((1, 8, 8), 0, "toy", 64)
REAL, FAKE = torch.rand(5, 4), torch.rand(5, 4) - 1


def test_the_critics_loss_is_minus_the_difference_of_means() -> None:
    model = WGAN(POINTS, WGAN.Config())
    model.discriminator = Linear(0.5)
    on_real, on_fake = (0.5 * images.sum(1).mean() for images in (REAL, FAKE))
    assert torch.isclose(model.discriminator_loss(REAL, FAKE, None), on_fake - on_real)
    assert torch.isclose(model.generator_loss(REAL, FAKE, None), -on_fake)


@pytest.mark.parametrize("c", [0.01, 0.005])
def test_weights_are_clipped_after_each_update_of_the_critic(c: float) -> None:
    model = WGAN(IMAGES, WGAN.Config(width=4, hidden=8, c=c, discriminator_steps=2))
    largest = [parameter.abs().max() for parameter in model.discriminator.parameters()]
    assert max(largest) > c, "else there is nothing to clip"
    for _ in range(3):
        model.step(Batch(torch.rand(6, 1, 8, 8) * 2 - 1, None))
        weights = nn.utils.parameters_to_vector(model.discriminator.parameters())
        assert float(weights.detach().abs().max()) == pytest.approx(c, rel=1e-6), "clipped, and no tighter than asked"
    assert max(float(parameter.detach().abs().max()) for parameter in model.generator.parameters()) > c


def test_both_networks_learn_by_rmsprop_without_momentum() -> None:
    model = WGAN(POINTS, WGAN.Config(lr=3e-4))
    for optimizer, network in (
        (model.generator_optimizer, model.generator), (model.discriminator_optimizer, model.discriminator)
    ):  # fmt: skip
        assert isinstance(optimizer, torch.optim.RMSprop)
        (group,) = optimizer.param_groups
        assert (group["lr"], group["momentum"]) == (3e-4, 0)
        assert {id(p) for p in group["params"]} == {id(p) for p in network.parameters()}


def test_the_penalty_and_its_gradient_are_those_of_a_linear_critic() -> None:
    weight, strength = 0.8, 7.0
    model = WGANGP(POINTS, WGANGP.Config(penalty=strength))
    model.discriminator = critic = Linear(weight)
    distance = float((REAL.sum(1) - FAKE.sum(1)).mean())
    slope = weight * math.sqrt(4)
    loss = model.discriminator_loss(REAL, FAKE, None)
    assert float(loss.detach()) == pytest.approx(strength * (slope - 1) ** 2 - weight * distance, rel=1e-5)
    loss.backward()
    assert critic.weight.grad is not None
    expected = 2 * strength * (slope - 1) * math.sqrt(4) - distance
    assert float(critic.weight.grad) == pytest.approx(expected, rel=1e-5), "the penalty must be learnt from"


def test_the_penalty_is_taken_between_real_and_generated_images() -> None:
    model = WGANGP(POINTS, WGANGP.Config())
    model.discriminator = critic = Quadratic(0.6)
    torch.manual_seed(3)
    loss = model.discriminator_loss(REAL, FAKE, None)
    torch.manual_seed(3)
    points = between(REAL, FAKE)
    distance = (critic(REAL) - critic(FAKE)).mean()
    assert torch.isclose(loss, 10 * (0.6 * points.norm(dim=1) - 1).square().mean() - distance)
    share = (points - FAKE) / (REAL - FAKE)
    assert torch.allclose(share, share[:, :1].expand_as(share), atol=1e-4), "one share an image"
    assert len({round(float(value), 3) for value in share[:, 0]}) == len(REAL), "each image its own"
    assert 0 <= float(share.min()) <= float(share.max()) <= 1


def test_slopes_are_each_images_own() -> None:
    images = REAL.view(5, 1, 2, 2).clone().requires_grad_()
    assert torch.allclose(input_gradient(Quadratic(2.0)(images), images), 2 * REAL)


def test_the_penalised_critic_has_no_batch_normalisation() -> None:
    model = WGANGP(IMAGES, WGANGP.Config(width=4, hidden=8))
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in model.generator.modules())
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.discriminator.modules())
