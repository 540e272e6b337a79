"""The two generator losses, and k discriminator updates a generator update."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
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
        assert float(model.update_generator(4).detach()) == pytest.approx(expected, rel=1e-5)


def test_the_discriminators_loss_is_that_of_the_paper() -> None:
    model = Vanilla(SPEC, Vanilla.Config())
    images = torch.rand(6, 1, 8, 8) * 2 - 1
    torch.manual_seed(0)
    with torch.no_grad():
        fake = model.generator(model.latent(6))
        on_real, on_fake = (model.discriminator(x).double().sigmoid() for x in (images, fake))
        expected = -(on_real.log().mean() + (1 - on_fake).log().mean())
    torch.manual_seed(0)
    assert float(model.update_discriminator(images).detach()) == pytest.approx(float(expected), rel=1e-4)


def test_the_generator_learns_every_third_step_where_k_is_three() -> None:
    model = Vanilla(SPEC, Vanilla.Config(discriminator_steps=3))
    images = Batch(torch.rand(6, 1, 8, 8) * 2 - 1, None)
    moved = []
    for _ in range(6):
        before = [[p.clone() for p in net.parameters()] for net in (model.generator, model.discriminator)]
        losses = model.step(images)
        now = [list(net.parameters()) for net in (model.generator, model.discriminator)]
        changed = [
            any(not torch.equal(a, b) for a, b in zip(*pair, strict=True)) for pair in zip(before, now, strict=True)
        ]
        assert ("generator" in losses) is changed[0]
        moved.append(changed)
    assert moved == [[False, True], [False, True], [True, True]] * 2
    again = Vanilla(SPEC, Vanilla.Config(discriminator_steps=3))
    model.step(images)
    again.load_extra_state(model.extra_state())
    assert [("generator" in again.step(images)) for _ in range(2)] == [False, True]


def test_updating_the_generator_leaves_the_discriminator_ready_to_learn() -> None:
    model = Vanilla(SPEC, Vanilla.Config())
    before = [p.clone() for p in model.discriminator.parameters()]
    model.update_generator(4)
    assert all(torch.equal(a, b) for a, b in zip(before, model.discriminator.parameters(), strict=True))
    assert all(p.requires_grad for p in model.discriminator.parameters())
