"""The bound's two terms against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import distributions

from ganbench.model import Batch, DataSpec
from ganbench_plugins.vae import VAE, warmed_up

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)


def images(n: int = 6) -> torch.Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_kl_is_that_of_two_gaussians() -> None:
    torch.manual_seed(0)
    model = VAE(SPEC, VAE.Config())
    with torch.no_grad():
        mean, log_variance = model.encoder(images()).chunk(2, dim=1)
        posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
        expected = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(1).mean()
    assert float(model.step(Batch(images(), None))["kl"].detach()) == pytest.approx(float(expected), rel=1e-4)


def test_bernoulli_likelihood() -> None:
    model = VAE(SPEC, VAE.Config(likelihood="bernoulli"))
    logits = torch.randn(6, 64, generator=torch.Generator().manual_seed(1))
    black_and_white = torch.where(images().flatten(1) > 0, 1.0, -1.0)
    expected = -distributions.Bernoulli(logits=logits).log_prob((black_and_white + 1) / 2).sum(1).mean()
    torch.testing.assert_close(model.nats(black_and_white, logits).mean(), expected)
    x, p = (images().flatten(1) + 1) / 2, logits.sigmoid()
    closed = -(x * p.log() + (1 - x) * (1 - p).log()).sum(1).mean()
    torch.testing.assert_close(model.nats(images(), logits).mean(), closed, rtol=1e-4, atol=1e-3)


def test_gaussian_likelihood_with_its_learned_variance() -> None:
    model = VAE(SPEC, VAE.Config(likelihood="gaussian"))
    with torch.no_grad():
        model.log_variance.fill_(-1.3)
    output = torch.randn(6, 64, generator=torch.Generator().manual_seed(1))
    normal = distributions.Normal(output, (0.5 * model.log_variance).exp())
    pixels = images().flatten(1)
    torch.testing.assert_close(model.nats(pixels, output), -normal.log_prob(pixels).sum(1))
    model.step(Batch(images(), None))
    assert float(model.log_variance.detach()) != pytest.approx(-1.3, abs=1e-6)
    assert model.sample(9).abs().max() <= 1


def test_beta_weighs_the_kl_term() -> None:
    def gradient(beta: float) -> torch.Tensor:
        torch.manual_seed(0)
        model = VAE(SPEC, VAE.Config(beta=beta))
        model.step(Batch(images(), None))
        return next(model.encoder[-1].parameters()).grad.clone()

    at_zero, at_one, at_three = (gradient(beta) for beta in (0.0, 1.0, 3.0))
    torch.testing.assert_close(at_three - at_zero, 3 * (at_one - at_zero), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(at_one, at_zero)


def test_the_learned_variance_starts_where_it_is_told() -> None:
    assert VAE(SPEC, VAE.Config(log_variance=-2.5)).log_variance.item() == -2.5


def test_the_warm_up_rises_linearly_to_one_and_stays() -> None:
    assert warmed_up(0, 0) == warmed_up(1000, 1000) == warmed_up(5000, 1000) == 1
    assert 0 < warmed_up(0, 1000) < 0.002
    assert warmed_up(500, 1000) == pytest.approx(0.5, abs=0.001)
