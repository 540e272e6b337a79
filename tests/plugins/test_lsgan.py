"""The least squares of the paper's eq. 9, with its factors of one half."""

from __future__ import annotations

import pytest
import torch

from ganbench.model import DataSpec
from ganbench_plugins.lsgan import LSGAN
from tests.plugins.critics import Linear

SPEC = DataSpec((4,), 0, "toy", 64)
REAL, FAKE = torch.full((3, 4), 0.25), torch.tensor([[0.5] * 4, [-0.25] * 4])


@pytest.mark.parametrize(("a", "b", "c"), [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0)])
def test_losses_are_those_of_the_paper(a: float, b: float, c: float) -> None:
    model = LSGAN(SPEC, LSGAN.Config(a=a, b=b, c=c))
    model.discriminator = Linear(3.0)
    on_real, on_fake = 3.0, (6.0, -3.0)
    expected = (on_real - b) ** 2 / 2 + sum((output - a) ** 2 / 2 for output in on_fake) / 2
    assert float(model.discriminator_loss(REAL, FAKE, None).detach()) == pytest.approx(expected)
    expected = sum((output - c) ** 2 / 2 for output in on_fake) / 2
    assert float(model.generator_loss(REAL, FAKE, None).detach()) == pytest.approx(expected)


def test_its_targets_are_zero_one_and_one() -> None:
    config = LSGAN.Config()
    assert (config.a, config.b, config.c) == (0.0, 1.0, 1.0)
