"""The flow's inverse and log-determinant against autograd's Jacobian, and its density."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganbench.model import Batch, DataSpec
from ganbench_plugins.realnvp import RealNVP, to_logits

SHAPES = [(1, 4, 4), (3, 4, 8), (2,), (5,)]


def model(shape: tuple[int, ...]) -> RealNVP:
    """Return a flow whose weights, zeros of last layers included, are drawn anew, in float64."""
    torch.manual_seed(0)
    found = RealNVP(DataSpec(shape, 0, "toy", 64), RealNVP.Config(width=4, hidden=8, couplings=2))
    with torch.no_grad():
        for weight in found.flow.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_log_determinant_is_that_of_the_jacobian(shape: tuple[int, ...]) -> None:
    flow = model(shape).flow.double()
    values = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1)).double()
    latents, log_det = flow(values)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow(x)[0].flatten(), values)
    size = math.prod(shape)
    expected = jacobian.view(size, size).slogdet().logabsdet
    torch.testing.assert_close(log_det, expected[None], rtol=1e-4, atol=1e-4)
    assert latents.shape == (1, size) and abs(float(expected)) > 0.01


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_inverse_undoes_the_flow(shape: tuple[int, ...]) -> None:
    flow = model(shape).flow.double()
    values = torch.randn(5, *shape, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(flow.inverse(flow(values)[0]), values, rtol=1e-4, atol=1e-4)


def test_each_coupling_keeps_what_its_mask_names_and_the_next_one_the_rest() -> None:
    flow = model((1, 4, 4)).flow
    for scale in flow.scales:
        kept = [coupling.mask for coupling in scale]  # type: ignore[attr-defined]
        assert torch.equal(kept[0], 1 - kept[1])
        assert float(kept[0].mean()) == 0.5
    first = flow.scales[0][0]  # type: ignore[index]
    values = torch.randn(3, 1, 4, 4)
    changed = first(values)[0] != values
    assert torch.equal(changed, (first.mask == 0).expand_as(changed))


def test_the_logit_and_its_derivative() -> None:
    values = torch.tensor([[0.0, 0.3, 1.0]], dtype=torch.float64, requires_grad=True)
    found, log_det = to_logits(values)
    torch.testing.assert_close(found.sigmoid(), 0.05 + 0.9 * values)
    (slope,) = torch.autograd.grad(found.sum(), values)
    torch.testing.assert_close(log_det, slope.log().sum(1))


def test_points_have_a_density_of_integral_one() -> None:
    flow = model((2,))
    places = torch.linspace(-12, 12, 481)
    grid = torch.cartesian_prod(places, places)
    density = (flow.log_likelihood(grid) * 2 * math.log(2)).exp()
    assert float(density.sum()) * 0.05**2 == pytest.approx(1, abs=0.01)


def test_the_bound_of_binary_images_rises_with_the_draws() -> None:
    flow = model((1, 4, 4))
    batch = Batch(torch.where(torch.rand(8, 1, 4, 4) > 0.5, 1.0, -1.0), None)
    flow.step(batch)
    assert flow.levels == 2
    one, many = (flow.log_likelihood(batch.images, samples).mean() for samples in (1, 50))
    assert one < many
    assert set(flow.sample(50).unique().tolist()) == {-1.0, 1.0}


def test_the_bound_of_binary_images_is_below_their_probability_as_the_formula_says() -> None:
    """The couplings start as the identity: then pixels are independent, and P(x) = 2 ** -16 but for the tails."""
    fresh = RealNVP(DataSpec((1, 4, 4), 0, "toy", 64), RealNVP.Config(width=4, levels=2))
    pair = torch.tensor([-1.0, 1.0]).repeat(8).view(1, 1, 4, 4)
    torch.manual_seed(0)
    found = float(fresh.log_likelihood(pair.repeat(2000, 1, 1, 1), 1).mean() * 16)
    v = (torch.arange(100_000) + 0.5) / 100_000
    density = torch.distributions.Normal(0.0, 1.0).log_prob((0.05 + 0.9 * v).logit()) + to_logits(v[:, None])[1]
    assert found == pytest.approx(16 * float(density.mean() / math.log(2) - 1), abs=0.3)
    assert found < 16 * math.log2(float(density.exp().mean()) / 2)


def test_grey_images_have_256_levels() -> None:
    flow = model((1, 4, 4))
    levels = torch.arange(16).view(1, 1, 4, 4) * 17
    images = levels / 255 * 2 - 1
    flow.step(Batch(images, None))
    assert flow.levels == 256
    assert torch.equal((flow.dequantised(images) * 256).floor().long(), levels)

    def density(value: Tensor) -> Tensor:
        return flow.log_density(flow.dequantised(value)) / math.log(2) / 16 - 1

    torch.manual_seed(1)
    expected = density(images)
    torch.manual_seed(1)
    torch.testing.assert_close(flow.log_likelihood(images, 1), expected)
