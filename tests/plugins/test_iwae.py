"""Importance weights against a linear Gaussian model, whose log p(x) is known, and the bound made of them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.iwae import IWAE
from ganbench_plugins.vae import VAE

SPEC = DataSpec((5,), 0, "toy", 64)
LOG_VARIANCE = -0.7


def linear(kind: type[VAE], *, stretch: float = 0.0, **settings: object) -> tuple[VAE, Tensor, Tensor]:
    """Return p(x | z) = N(Wz + b, exp LOG_VARIANCE), points, their log p(x); q is the posterior but for `stretch`.

    The columns of W are orthogonal, so that the posterior's covariance is diagonal, as the model's is.
    """
    torch.manual_seed(0)
    model = kind(SPEC, kind.Config(latent_dim=2, likelihood="gaussian", **settings))
    variance = math.exp(LOG_VARIANCE)
    weight, bias = torch.linalg.qr(torch.randn(5, 2))[0] * torch.tensor([1.5, 0.4]), torch.randn(5)
    posterior_variance = 1 / (1 + weight.square().sum(0) / variance)
    towards = posterior_variance[:, None] * weight.T / variance
    model.decoder, model.encoder = nn.Linear(2, 5), nn.Linear(5, 4)
    with torch.no_grad():
        model.log_variance.fill_(LOG_VARIANCE)
        model.decoder.weight.copy_(weight)
        model.decoder.bias.copy_(bias)
        model.encoder.weight.copy_(torch.cat([towards, torch.zeros(2, 5)]))
        model.encoder.bias.copy_(torch.cat([-towards @ bias, posterior_variance.log() + stretch]))
    points = torch.randn(7, 5)
    evidence = distributions.MultivariateNormal(bias, weight @ weight.T + variance * torch.eye(5))
    return model, points, evidence.log_prob(points)


def test_with_the_true_posterior_every_weight_is_the_evidence() -> None:
    model, points, evidence = linear(VAE)
    with torch.no_grad():
        torch.testing.assert_close(model.log_weights(points, 3), evidence.expand(3, 7), rtol=1e-4, atol=1e-4)
    for samples in (1, 60):
        expected = evidence / (5 * math.log(2))
        torch.testing.assert_close(model.log_likelihood(points, samples), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stretch", [-1.0, 1.0])
def test_the_bound_rises_with_the_samples_towards_the_evidence(stretch: float) -> None:
    model, points, evidence = linear(VAE, stretch=stretch)
    one, ten, thousand = (
        torch.stack([model.log_likelihood(points, samples) for _ in range(repeats)]).mean() * 5 * math.log(2)
        for samples, repeats in ((1, 400), (10, 60), (1000, 1))
    )
    losses = [model.bound(points) for _ in range(400)]
    elbo = -torch.stack([loss["reconstruction"] + loss["kl"] for loss in losses]).mean().detach()
    assert float(one) == pytest.approx(float(elbo), abs=0.1)
    assert elbo + 0.1 < ten < thousand < evidence.mean() + 0.05
    assert float(thousand) == pytest.approx(float(evidence.mean()), abs=0.1)


def test_the_loss_is_the_log_of_the_mean_weight_and_with_one_sample_the_bound_of_a_vae() -> None:
    model, points, _ = linear(IWAE, stretch=0.5, samples=4)
    torch.manual_seed(1)
    loss = model.step(Batch(points, None))["bound"]
    model, points, _ = linear(IWAE, stretch=0.5, samples=4)
    torch.manual_seed(1)
    mean_weight = model.log_weights(points, 4).double().exp().mean(0)
    torch.testing.assert_close(loss.double(), -mean_weight.log().mean(), rtol=1e-4, atol=1e-4)

    with pytest.raises(ValueError, match="beta is 1"):
        linear(IWAE, beta=0.5)

    model, points, _ = linear(IWAE, stretch=0.5, samples=1)
    torch.manual_seed(1)
    mean, log_variance = model.posterior(points)
    latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
    posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
    kl = (posterior.log_prob(latent) - distributions.Normal(0.0, 1.0).log_prob(latent)).sum(1)
    expected = (model.nats(points, model.decoder(latent)) + kl).mean()
    torch.manual_seed(1)
    torch.testing.assert_close(model.objective(model.bound(points)), expected)


def test_the_likelihood_of_binary_images_adds_up_to_one() -> None:
    model = VAE(DataSpec((1, 1, 3), 0, "toy", 64), VAE.Config(latent_dim=1, hidden=4))
    values = torch.tensor([-1.0, 1.0])
    every = torch.cartesian_prod(values, values, values).view(8, 1, 1, 3)
    torch.manual_seed(0)
    total = (model.log_likelihood(every, 2000) * 3 * math.log(2)).exp().sum()
    assert float(total) == pytest.approx(1, abs=0.02)
    assert model.training
