"""What is particular to dcgan: its sizes and its losses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.model import DataSpec
from ganbench_plugins.dcgan import DCGAN


@pytest.mark.parametrize("shape", [(1, 30, 28), (3, 28, 30), (1, 7, 7)], ids=str)
def test_sides_that_four_does_not_divide_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"divisible by 4, toy has {shape[1]}x{shape[2]}"):
        DCGAN(DataSpec(shape, 0, "toy", 64), DCGAN.Config())


def test_images_that_are_no_squares_are_fine() -> None:
    model = DCGAN(DataSpec((2, 12, 20), 0, "toy", 64), DCGAN.Config(width=8))
    assert model.eval().sample(3).shape == (3, 2, 12, 20)


def test_width_decides_the_size() -> None:
    def parameters(width: int) -> int:
        model = DCGAN(DataSpec((1, 28, 28), 0, "toy", 64), DCGAN.Config(width=width))
        return sum(parameter.numel() for parameter in model.parameters())

    assert parameters(8) < parameters(16) < parameters(32)


def test_losses_are_those_of_the_paper() -> None:
    model = DCGAN(DataSpec((1, 8, 8), 0, "toy", 64), DCGAN.Config(width=8, translation=0))
    logits = {0.0: torch.tensor([[-1.2], [0.4]]), 1.0: torch.tensor([[0.3], [2.0]])}
    model.discriminator = nn.Module()
    model.discriminator.forward = lambda images: logits[float(images.mean())]  # type: ignore[method-assign]
    fake, real = torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 8, 8)
    on_fake, on_real = (logits[key].double().sigmoid() for key in (0.0, 1.0))
    expected = -(on_real.log().mean() + (1 - on_fake).log().mean())
    assert float(model.discriminator_loss(real, fake, None)) == pytest.approx(float(expected), rel=1e-5)
    assert float(model.generator_loss(real, fake, None)) == pytest.approx(float(-on_fake.log().mean()), rel=1e-5)
