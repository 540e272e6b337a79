"""Both losses of the generator, that of the discriminator, and what is off unless it is asked for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import DataSpec
from ganbench_plugins.vanilla import Vanilla

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)


class Constant(nn.Module):
    """A discriminator that gives every image the same logit."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1).sum(1, keepdim=True) * 0 + self.logit


@pytest.mark.parametrize("logit", [-3.0, 0.0, 0.7])
def test_generator_losses_are_those_of_the_paper(logit: float) -> None:
    score = 1 / (1 + math.exp(-logit))
    for saturating, expected in ((True, math.log(1 - score)), (False, -math.log(score))):
        model = Vanilla(SPEC, Vanilla.Config(saturating=saturating))
        model.discriminator = Constant(logit)
        images = torch.zeros(4, *SPEC.shape)
        assert float(model.generator_loss(images, images, None).detach()) == pytest.approx(expected, rel=1e-5)


def test_the_discriminators_loss_is_that_of_the_paper() -> None:
    model = Vanilla(SPEC, Vanilla.Config())
    real, fake = (torch.rand(6, 1, 8, 8) * 2 - 1 for _ in range(2))
    on_real, on_fake = (model.discriminator(x).double().sigmoid() for x in (real, fake))
    expected = -(on_real.log().mean() + (1 - on_fake).log().mean())
    loss = model.discriminator_loss(real, fake, None)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-4, atol=0)


def test_weights_are_averaged_and_images_shifted_only_where_asked() -> None:
    images = torch.rand(64, 1, 8, 8)
    model = Vanilla(SPEC, Vanilla.Config())
    assert model.average is None and torch.equal(model.augment(images), images)
    model = Vanilla(SPEC, Vanilla.Config(ema=0.9, translation=1))
    assert model.average is not None and not torch.equal(model.augment(images), images)
