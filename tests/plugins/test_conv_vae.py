"""The convolutional VAE and what differs from it by its latents alone: beta, a fitted mixture, a second stage."""

from __future__ import annotations

import pytest
import torch
from torch import distributions, nn

from ganbench.model import Batch, DataSpec
from ganbench.training.likelihood import is_given
from ganbench_plugins.beta_vae import BetaVAE
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.two_stage_vae import TwoStageVAE
from ganbench_plugins.vae_gmm import VAEGMM

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)
SMALL = {"latent_dim": 3, "width": 4, "hidden": 8}


def batch(n: int = 6) -> Batch:
    return Batch(torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1, None)


def test_kl_is_that_of_two_gaussians() -> None:
    torch.manual_seed(0)
    model = ConvVAE(SPEC, ConvVAE.Config(**SMALL))
    with torch.no_grad():
        mean, log_variance = model.encoder(batch().images).chunk(2, dim=1)
        posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
        expected = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(1).mean()
    assert float(model.step(batch())["kl"].detach()) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("shape", "likelihood", "bernoulli"),
    [((1, 8, 8), "auto", True), ((2,), "auto", False), ((1, 8, 8), "gaussian", False), ((2,), "bernoulli", True)],
)
def test_points_take_the_gaussian_likelihood_unless_told(
    shape: tuple[int, ...], likelihood: str, bernoulli: bool
) -> None:
    model = ConvVAE(DataSpec(shape, 0, "toy", 64), ConvVAE.Config(likelihood=likelihood, **SMALL))
    images, output = torch.rand(6, *shape), torch.randn(6, *shape)
    density: distributions.Distribution = distributions.Normal(output, (0.5 * model.log_variance).exp())
    if bernoulli:
        images, density = images.round() * 2 - 1, distributions.Bernoulli(logits=output)
    expected = -density.log_prob((images + 1) / 2 if bernoulli else images).flatten(1).sum(1)
    torch.testing.assert_close(model.nats(images, output), expected)


def test_beta_weighs_the_kl_term() -> None:
    def gradient(beta: float) -> torch.Tensor:
        torch.manual_seed(0)
        model = BetaVAE(SPEC, BetaVAE.Config(beta=beta, **SMALL))
        model.step(batch())
        found = model.encoder[-1].weight.grad
        assert found is not None
        return found.clone()

    at_zero, at_one, at_three = (gradient(beta) for beta in (0.0, 1.0, 3.0))
    torch.testing.assert_close(at_three - at_zero, 3 * (at_one - at_zero), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(at_one, at_zero)
    assert ConvVAE.Config().beta == 1 != BetaVAE.Config().beta


def test_latents_follow_the_mixture_that_was_fitted_to_draws_of_the_posterior() -> None:
    torch.manual_seed(0)
    model = VAEGMM(SPEC, VAEGMM.Config(components=2, **SMALL))
    with torch.no_grad():
        model.encoder[-1].weight[:3].mul_(20)
    images = batch(500).images
    assert model.latent(2000).mean(0).abs().max() < 0.15, "before it is fitted: N(0, I)"
    model.finish(Batch(images, None))
    assert model.training
    with torch.no_grad():
        means, log_variances = model.eval().posterior(images)
        found = model.latent(20_000)
    covariance = means.T.cov(correction=0) + log_variances.exp().mean(0).diag()
    torch.testing.assert_close(found.mean(0), means.mean(0), rtol=0.0, atol=0.1)
    torch.testing.assert_close(found.T.cov(), covariance, rtol=0.1, atol=0.15)
    assert log_variances.exp().mean() > 0.5, "a mixture of the means alone would have been told apart"


def test_samples_go_through_both_stages() -> None:
    torch.manual_seed(0)
    model = TwoStageVAE(SPEC, TwoStageVAE.Config(**SMALL)).eval()
    with torch.no_grad():
        model.second.log_variance.fill_(-2.0)
        u, noise = (torch.manual_seed(1), torch.randn(5, 3), torch.randn(5, 3))[1:]
        latent = model.second.decoder(u) + noise * torch.tensor(-1.0).exp()
        torch.manual_seed(1)
        torch.testing.assert_close(model.sample(5), model.decoder(latent).clamp(-1, 1))


def test_the_second_stage_learns_the_codes_of_the_first_and_leaves_it_alone() -> None:
    def first_stage(kind: type[ConvVAE], **settings: object) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = kind(SPEC, kind.Config(likelihood="gaussian", **settings, **SMALL))
        torch.manual_seed(1)
        model.step(batch())
        networks = nn.ModuleList([model.encoder, model.decoder])
        return [value.detach().clone() for value in networks.parameters()]

    alone, together = (first_stage(kind, log_variance=-3.0) for kind in (ConvVAE, TwoStageVAE))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))

    torch.manual_seed(0)
    model = TwoStageVAE(SPEC, TwoStageVAE.Config(lr=0.02, **SMALL))
    with torch.no_grad():
        model.encoder[-1].bias.copy_(torch.tensor([4.0, -4.0, 2.0, -6.0, -6.0, -6.0]))
    model.encoder.requires_grad_(False)
    for _ in range(200):
        model.step(batch())
    assert (model.latent(500).mean(0) - torch.tensor([4.0, -4.0, 2.0])).abs().max() < 1


def test_without_its_second_stage_latents_come_from_the_prior() -> None:
    config = TwoStageVAE.Config(second_stage=False, **SMALL)
    model = TwoStageVAE(SPEC, config)
    assert list(model.step(batch())) == ["reconstruction", "kl"]
    assert not hasattr(model, "second") and TwoStageVAE.sampler(config) == "N(0, I)"
    assert model.latent(4000).std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("kind", [VAEGMM, TwoStageVAE])
def test_no_bound_is_given_for_another_prior_than_the_one_that_samples(kind: type[ConvVAE]) -> None:
    assert is_given(ConvVAE(SPEC, ConvVAE.Config(**SMALL)))
    assert not is_given(kind(SPEC, kind.Config(**SMALL)))
