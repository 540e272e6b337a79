"""Sizes by hand, and Keras's padding, initial weights and constants, which differ from torch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganbench.model import DataSpec
from ganbench_plugins.dcgan_tutorial import DCGANTutorial, doubling, halving


@pytest.fixture(scope="module")
def model() -> DCGANTutorial:
    return DCGANTutorial(DataSpec((1, 28, 28), 0, "toy", 64), DCGANTutorial.Config())


def test_the_generator_has_as_many_parameters_as_the_tutorials(model: DCGANTutorial) -> None:
    dense, kernels = 100 * 7 * 7 * 256, 25 * (256 * 128 + 128 * 64 + 64 * 1)
    units = 7 * 7 * 256 + 128 + 64
    trained = sum(parameter.numel() for parameter in model.generator.parameters())
    averages = sum(value.numel() for value in model.generator.buffers() if value.is_floating_point())
    assert trained == dense + kernels + 2 * units == 2_305_472
    assert trained + averages == dense + kernels + 4 * units == 2_330_944


def test_the_discriminator_has_as_many_parameters_as_the_tutorials(model: DCGANTutorial) -> None:
    by_hand = (25 * 64 + 64) + (25 * 64 * 128 + 128) + (7 * 7 * 128 + 1)
    assert sum(parameter.numel() for parameter in model.discriminator.parameters()) == by_hand == 212_865


def test_the_constants_are_those_of_keras(model: DCGANTutorial) -> None:
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert [(norm.eps, norm.momentum) for norm in norms] == [(1e-3, 0.01)] * 3
    slopes = [layer.negative_slope for layer in model.modules() if isinstance(layer, nn.LeakyReLU)]
    assert slopes == [0.3] * 5
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        (group,) = optimizer.param_groups
        assert (group["lr"], *group["betas"], group["eps"]) == (1e-4, 0.9, 0.999, 1e-7)
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            area = layer.weight[0, 0].numel()
            limit = (6 / (area * sum(layer.weight.shape[:2]))) ** 0.5
            assert 0.98 * limit < float(layer.weight.detach().abs().max()) <= limit * (1 + 1e-6)
            assert layer.bias is None or not layer.bias.any()


def test_an_image_is_halved_as_keras_does() -> None:
    """SAME padding of a kernel of 5 and stride 2 over an even side: one before, two behind."""
    network = nn.Sequential(*halving(1, 1))
    image = torch.rand(1, 1, 8, 8)
    weight, bias = network[1].weight, network[1].bias
    found = network(image)
    assert found.shape == (1, 1, 4, 4)
    middle = (image[0, 0, 1:6, 3:8] * weight[0, 0]).sum() + bias
    assert torch.allclose(found[0, 0, 1, 2], middle), "output 1 looks at rows 1 to 5, output 2 at columns 3 to 7"


def test_doubling_is_halving_reversed() -> None:
    """Keras defines its transposed convolution as the adjoint of that convolution: <Ax, y> = <x, A'y>."""
    up, down = nn.Sequential(*doubling(3, 2)), nn.Sequential(*halving(2, 3))
    x, y = torch.rand(1, 2, 8, 8), torch.rand(1, 3, 4, 4)
    halved = F.conv2d(down[0](x), up[0].weight, stride=2)
    assert torch.isclose((halved * y).sum(), (x * up(y)).sum(), rtol=1e-4)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 12)])
def test_it_grows_with_the_image(shape: tuple[int, ...]) -> None:
    model = DCGANTutorial(DataSpec(shape, 0, "toy", 64), DCGANTutorial.Config(width=2))
    images = model.sample(3)
    assert images.shape == (3, *shape) and model.discriminator(images).shape == (3, 1)


def test_points_and_odd_sides_are_refused() -> None:
    for shape, message in (((2,), "needs images"), ((1, 30, 30), "divisible by 4")):
        with pytest.raises(ValueError, match=message):
            DCGANTutorial(DataSpec(shape, 0, "toy", 64), DCGANTutorial.Config(width=2))
