"""The ladder's Gaussians against torch.distributions, and its bound against the probability of all images."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions

from ganbench.model import Batch, DataSpec
from ganbench_plugins.ladder_vae import LadderVAE, kl_between, weigh_by_precision

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)
SMALL = {"latent_dim": 4, "width": 4, "hidden": 8}


def pair(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, 3, generator=generator), torch.randn(5, 3, generator=generator)


def normal(mean: Tensor, log_variance: Tensor) -> distributions.Normal:
    return distributions.Normal(mean, (0.5 * log_variance).exp())


def test_precisions_add_up_and_weigh_the_means() -> None:
    a, b = pair(0), pair(1)
    mean, log_variance = weigh_by_precision(a, b)
    precision_a, precision_b = 1 / a[1].exp(), 1 / b[1].exp()
    torch.testing.assert_close(1 / log_variance.exp(), precision_a + precision_b)
    torch.testing.assert_close(mean, (a[0] * precision_a + b[0] * precision_b) / (precision_a + precision_b))
    # The product of both densities is that Gaussian's, but for a factor that does not depend on the place.
    places = torch.linspace(-2, 2, 4)[:, None, None]
    factor = normal(*a).log_prob(places) + normal(*b).log_prob(places) - normal(mean, log_variance).log_prob(places)
    torch.testing.assert_close(factor, factor[:1].expand_as(factor), rtol=1e-4, atol=1e-4)


def test_kl_is_that_of_two_gaussians() -> None:
    a, b = pair(0), pair(1)
    torch.testing.assert_close(kl_between(a, b), distributions.kl_divergence(normal(*a), normal(*b)).sum(1))


@pytest.mark.parametrize("levels", [2, 3])
def test_the_likelihood_of_binary_images_adds_up_to_one(levels: int) -> None:
    torch.manual_seed(0)
    model = LadderVAE(DataSpec((3,), 0, "toy", 64), LadderVAE.Config(levels=levels, likelihood="bernoulli", **SMALL))
    with torch.no_grad():
        for head in model.heads:  # upward Gaussians wider than the prior's: posteriors near it, so that few samples do
            head.weight.mul_(0.3)
            head.bias.chunk(2)[1].fill_(1.5)
    values = torch.tensor([-1.0, 1.0])
    every = torch.cartesian_prod(values, values, values)
    total = (model.log_likelihood(every, 2000) * 3 * math.log(2)).exp().sum()
    assert float(total) == pytest.approx(1, abs=0.02)


def test_the_estimated_kl_terms_are_the_closed_ones_on_average() -> None:
    torch.manual_seed(0)
    model = LadderVAE(SPEC, LadderVAE.Config(**SMALL)).eval()
    with torch.no_grad():
        climbed = [
            (mean.repeat(3000, 1), spread.repeat(3000, 1)) for mean, spread in model.climb(torch.rand(2, 1, 8, 8))
        ]
        latent, kl, ratio = model.descend_ladder(climbed)
    assert latent.shape == (6000, 4) and model.widths == [4, 2]
    assert float(kl.mean()) == pytest.approx(-float(ratio.mean()), abs=0.05)


def test_every_layer_learns_and_the_kl_terms_warm_up() -> None:
    torch.manual_seed(0)
    model = LadderVAE(SPEC, LadderVAE.Config(levels=3, warmup=11, **SMALL))
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    weights = []
    for _ in range(3):
        weights.append(model.kl_weight)
        model.step(Batch(torch.rand(6, 1, 8, 8) * 2 - 1, None))
    assert weights == [1 / 12, 7 / 12, 1]
    still = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    assert still == ["log_variance"], "the Bernoulli likelihood has none"
