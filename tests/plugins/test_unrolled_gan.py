"""Unrolled updates: Adam's, as the optimizer would make them; and gradients through them, against a game by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.unrolled_gan import DifferentiableAdam, UnrolledGAN, flat

POINTS = DataSpec((2,), 0, "toy", 64)


def small(unrolling: int) -> UnrolledGAN:
    torch.manual_seed(0)
    return UnrolledGAN(POINTS, UnrolledGAN.Config(unrolling=unrolling, hidden=16))


def loss_of(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    softplus = nn.functional.softplus
    return softplus(-discriminator(real)).mean() + softplus(discriminator(fake)).mean()


@pytest.mark.parametrize("warm", [0, 3])
def test_unrolled_weights_are_those_that_the_optimizer_would_give(warm: int) -> None:
    model, batch = small(4), Batch(torch.randn(32, 2), None)
    for _ in range(warm):
        model.step(batch)
    before = copy.deepcopy(model.discriminator.state_dict())
    real, fake = torch.randn(32, 2), torch.randn(32, 2)
    found = model.unroll(real, fake)
    assert all(torch.equal(before[name], value) for name, value in model.discriminator.state_dict().items())
    model.discriminator.requires_grad_(True)
    for _ in range(4):
        model.learn(model.discriminator, model.discriminator_optimizer, loss_of(model.discriminator, real, fake))
    torch.testing.assert_close(found, flat(model.discriminator.parameters()), rtol=1e-3, atol=1e-5)


def test_the_gradient_through_two_updates_of_a_quadratic_game_is_the_one_by_hand() -> None:
    """The discriminator descends (w - x)^2 / 2, from w with Adam; what follows by x is taken by finite differences."""
    w, x = nn.Parameter(torch.tensor([0.5]).double()), torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], 0.1, (0.5, 0.9))

    def after_two(x: Tensor) -> Tensor:
        adam, weights = DifferentiableAdam(optimizer, [w]), w * 1
        for _ in range(2):
            loss = (weights - x).square().sum() / 2
            weights = adam.update(weights, *torch.autograd.grad(loss, weights, create_graph=True))
        return weights

    by_hand, m, v = 0.5, 0.0, 0.0
    for t in (1, 2):
        g = by_hand - 2.0
        m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g * g
        by_hand -= 0.1 * (m / (1 - 0.5**t)) / (v / (1 - 0.9**t)) ** 0.5
    assert float(after_two(x).detach()) == pytest.approx(by_hand, rel=1e-9)
    assert torch.autograd.gradcheck(after_two, (x,))
    assert float(torch.autograd.grad(after_two(x), x)[0]) != 0


def test_a_gradient_that_was_always_0_leaves_the_weight_and_no_nan() -> None:
    w, z = nn.Parameter(torch.ones(3)), torch.zeros(3, requires_grad=True)
    found = DifferentiableAdam(torch.optim.Adam([w]), [w]).update(w, 0 * z)
    assert torch.equal(found, w)
    assert torch.autograd.grad(found.sum(), z)[0].isfinite().all()


def test_no_unrolled_update_is_the_usual_loss_and_gradient() -> None:
    model, real = small(0), torch.randn(8, 2)
    fake = torch.randn(8, 2, requires_grad=True)
    usual = nn.functional.softplus(-model.discriminator(fake)).mean()
    found = model.generator_loss(real, fake, None)
    assert float(found.detach()) == pytest.approx(float(usual.detach()), rel=1e-6)
    pair = (torch.autograd.grad(each, fake)[0] for each in (found, usual))
    torch.testing.assert_close(*pair)


def test_the_generator_learns_through_the_discriminators_answer() -> None:
    """The loss against unrolled weights, held fixed, has another gradient."""
    model, real = small(3), torch.randn(8, 2)
    fake = torch.randn(8, 2, requires_grad=True)
    fixed_loss = nn.functional.softplus(-model.outputs(model.unroll(real, fake).detach(), fake)).mean()
    found = model.generator_loss(real, fake, None)
    assert float(found.detach()) == pytest.approx(float(fixed_loss.detach()), rel=1e-6)
    through, past = (torch.autograd.grad(each, fake)[0] for each in (found, fixed_loss))
    assert (through - past).abs().max() > 0.01 * past.abs().max()


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)], ids=str)
def test_the_discriminator_is_updated_once_a_step(shape: tuple[int, ...]) -> None:
    data = DataSpec(shape, 0, "toy", 64)
    model = UnrolledGAN(data, UnrolledGAN.Config(hidden=16, width=4))
    model.step(Batch(torch.rand(6, *shape), None))
    steps = [int(state["step"]) for state in model.discriminator_optimizer.state.values()]
    assert set(steps) == {1}
    assert all(weight.requires_grad for weight in model.discriminator.parameters())
