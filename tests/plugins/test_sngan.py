"""Each layer's largest singular value is one, and the hinge loss is the paper's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.sngan import SNGAN
from tests.plugins.critics import Linear


def largest_singular_values(network: nn.Module) -> list[Tensor]:
    return [
        torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]


def test_every_layers_largest_singular_value_is_near_one() -> None:
    torch.manual_seed(0)
    spec = DataSpec((1, 8, 8), 0, "toy", 64)
    model = SNGAN(spec, SNGAN.Config(width=4, hidden=8, lr=1e-4, power_iterations=2))
    model.train()
    for _ in range(8):
        model.step(Batch(torch.rand(8, 1, 8, 8) * 2 - 1, None))
    values = largest_singular_values(model.discriminator)
    assert len(values) == 4, "two convolutions and two linear layers"
    assert values == pytest.approx([1.0] * 4, rel=0.05)
    drawn = [
        layer.parametrizations.weight.original for layer in model.discriminator if hasattr(layer, "parametrizations")
    ]
    assert max(float(torch.linalg.matrix_norm(weight.detach().flatten(1), ord=2)) for weight in drawn) != pytest.approx(
        1
    )
    assert not any(hasattr(layer, "parametrizations") for layer in model.generator.modules())


def test_weights_are_drawn_before_they_are_normalised() -> None:
    """Were a normalised weight drawn, the draw would be lost."""
    model = SNGAN(DataSpec((1, 8, 8), 0, "toy", 64), SNGAN.Config())
    original = model.discriminator[2].parametrizations.weight.original
    assert float(original.detach().std()) == pytest.approx(math.sqrt(2 / 1.04 / (24 * 16)), rel=0.05)


def test_singular_values_are_followed_once_an_update_of_the_discriminator() -> None:
    spec = DataSpec((1, 8, 8), 0, "toy", 64)
    for k in (1, 3):
        torch.manual_seed(0)
        model = SNGAN(spec, SNGAN.Config(width=4, hidden=8, discriminator_steps=k, power_iterations=1))
        seen: list[Tensor] = []
        layer = model.discriminator[2]
        layer.register_forward_hook(
            lambda module, _, __: seen.append(module.parametrizations.weight[0].u.clone())  # noqa: B023
        )
        model.step(Batch(torch.rand(8, 1, 8, 8) * 2 - 1, None))
        assert len(seen) == 2 * k + 1, "real and generated images k times, generated ones in the generator's turn"
        assert len({tuple(u.tolist()) for u in seen}) == k + 1, "one estimate before, and one after each update"
        assert layer.training and all(module.training for module in layer.modules())


def test_losses_are_the_hinge_of_the_paper() -> None:
    model = SNGAN(DataSpec((1,), 0, "toy", 64), SNGAN.Config())
    model.discriminator = Linear(1.0)
    real, fake = torch.tensor([[-0.5], [2.0], [0.5], [1.0]]), torch.tensor([[0.5], [-2.0], [-0.5], [-1.0]])
    expected = (1.5 + 0 + 0.5 + 0) / 4 + (1.5 + 0 + 0.5 + 0) / 4
    assert float(model.discriminator_loss(real, fake, None).detach()) == pytest.approx(expected)
    assert float(model.generator_loss(real, fake + 1, None).detach()) == pytest.approx(-0.25)
