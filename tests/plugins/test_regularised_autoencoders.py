"""What makes each autoencoder itself: where its latents come from, and what it adds to the squared error."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.aae import AAE
from ganbench_plugins.ae_gmm import AEGMM
from ganbench_plugins.autoencoder import Autoencoder
from ganbench_plugins.rae_gp import RAEGP, squared_jacobian
from ganbench_plugins.rae_l2 import RAEL2
from ganbench_plugins.wae_mmd import WAEMMD, mmd

SPEC = DataSpec((2,), 0, "toy", 64)
ALL = [AEGMM, RAEL2, RAEGP, WAEMMD, AAE]


def built(kind: type[Autoencoder], **settings: Any) -> Autoencoder:
    torch.manual_seed(0)
    return kind(SPEC, kind.Config(**{"latent_dim": 3, "hidden": 8} | settings))


def points(n: int = 40) -> Tensor:
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("kind", ALL)
def test_latents_come_from_the_mixture_where_there_is_one(kind: type[Autoencoder]) -> None:
    model = built(kind, components=1)
    model.finish(Batch(points(), None))
    codes = model.codes(points()).detach()
    drawn = model.latent(4000)
    torch.testing.assert_close(drawn.mean(0), codes.mean(0), rtol=0, atol=0.02)
    torch.testing.assert_close(drawn.T.cov(), codes.T.cov(correction=0), rtol=0, atol=0.02)
    assert kind.sampler(model.config) == "1 Gaussians fitted to codes"


@pytest.mark.parametrize("kind", ALL)
def test_latents_are_standard_normal_without_components(kind: type[Autoencoder]) -> None:
    model = built(kind, components=0)
    model.finish(Batch(points(), None))
    drawn = model.latent(4000)
    torch.testing.assert_close(drawn.mean(0), torch.zeros(3), rtol=0, atol=0.1)
    torch.testing.assert_close(drawn.T.cov(), torch.eye(3), rtol=0, atol=0.1)
    assert kind.sampler(model.config) == "N(0, I)"


@pytest.mark.parametrize("kind", [WAEMMD, AAE])
def test_what_made_codes_normal_samples_from_the_prior_by_default(kind: type[Autoencoder]) -> None:
    assert kind.Config().components == 0


def test_a_plain_autoencoder_has_no_penalty() -> None:
    model = built(AEGMM)
    expected = 0.5 * (model.decoder(model.encoder(points())) - points()).square().sum(1).mean()
    losses = model.step(Batch(points(), None))
    assert list(losses) == ["reconstruction"]
    torch.testing.assert_close(losses["reconstruction"], expected)


def test_rae_l2_is_the_papers_formula() -> None:
    model = built(RAEL2, code_weight=0.3, decoder_weight=0.05)
    codes = torch.tensor([[1.0, 2.0, 2.0], [0.0, 3.0, 4.0]])
    found = model.penalties(points(2), codes)
    assert float(found["codes"]) == pytest.approx(0.3 * 0.5 * (9 + 25) / 2)
    squares = sum(float(weight.detach().square().sum()) for weight in model.decoder.parameters())
    assert float(found["decoder"].detach()) == pytest.approx(0.05 * squares, rel=1e-5)
    found["decoder"].backward()
    for weight in model.decoder.parameters():
        torch.testing.assert_close(weight.grad, 2 * 0.05 * weight)


def test_the_gradient_penalty_of_a_linear_decoder_is_its_weights_norm() -> None:
    torch.manual_seed(0)
    decoder = nn.Linear(3, 5)
    codes = torch.randn(20000, 3)
    penalty = squared_jacobian(decoder, codes)
    torch.testing.assert_close(penalty, decoder.weight.square().sum(), rtol=0.02, atol=0)
    penalty.backward()
    torch.testing.assert_close(decoder.weight.grad, 2 * decoder.weight, rtol=0.05, atol=0.03)
    assert decoder.bias.grad is None or not decoder.bias.grad.any()


def test_the_gradient_penalty_moves_the_decoder_alone() -> None:
    model = built(RAEGP)
    codes = model.encoder(points())
    model.penalties(points(), codes)["decoder"].backward()
    assert all(weight.grad is None for weight in model.encoder.parameters())
    assert any(weight.grad is not None and weight.grad.any() for weight in model.decoder.parameters())
    assert codes.requires_grad and not codes.is_leaf


def test_mmd_is_the_papers_estimate() -> None:
    generator = torch.Generator().manual_seed(2)
    n, d = 5, 3
    prior = torch.randn(n, d, generator=generator)
    codes = torch.randn(n, d, generator=generator) * 2 + 1

    def kernel(x: Tensor, y: Tensor) -> float:
        distance = sum((a - b) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True))
        return sum(2 * d * s / (2 * d * s + distance) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))

    pairs = list(itertools.permutations(range(n), 2))
    expected = sum(kernel(prior[i], prior[j]) + kernel(codes[i], codes[j]) for i, j in pairs) / (n * (n - 1))
    expected -= 2 * sum(kernel(prior[i], codes[j]) for i in range(n) for j in range(n)) / n**2
    assert float(mmd(prior, codes)) == pytest.approx(expected, rel=1e-5)


def test_mmd_is_unbiased() -> None:
    generator = torch.Generator().manual_seed(3)
    found = torch.stack([mmd(*torch.randn(2, 8, 3, generator=generator)) for _ in range(400)])
    assert abs(float(found.mean())) < 4 * float(found.std()) / math.sqrt(400)
    assert float(found.min()) < 0


def test_mmd_draws_codes_to_the_prior() -> None:
    model = built(WAEMMD, mmd_weight=5.0)
    codes = (torch.randn(64, 3) + 4).requires_grad_(True)
    torch.manual_seed(5)
    found = model.penalties(points(64), codes)["mmd"]
    torch.manual_seed(5)
    torch.testing.assert_close(found, 5 * mmd(torch.randn(64, 3), codes))
    found.backward()
    assert codes.grad is not None
    assert (codes.grad.mean(0) > 0).all()


@pytest.mark.parametrize("logit", [-2.0, 0.0, 1.5])
def test_the_adversarial_losses_are_those_of_a_gan_on_codes(logit: float) -> None:
    model = built(AAE)
    assert isinstance(model, AAE)
    with torch.no_grad():
        model.discriminator[-1].weight.zero_()
        model.discriminator[-1].bias.fill_(logit)
    score, codes = 1 / (1 + math.exp(-logit)), torch.randn(6, 3)
    loss = model.discriminator_loss(torch.randn(6, 3), codes)
    assert float(loss.detach()) == pytest.approx(-math.log(score) - math.log(1 - score), rel=1e-5)
    assert float(model.encoder_loss(codes).detach()) == pytest.approx(-math.log(score), rel=1e-5)


def test_the_discriminator_learns_that_draws_from_the_prior_are_real() -> None:
    model = built(AAE, adversarial_lr=2e-2)
    assert isinstance(model, AAE)
    with torch.no_grad():
        model.encoder[-1].bias.fill_(3.0)
    for group in (*model.optimizer.param_groups, *model.encoder_optimizer.param_groups):
        group["lr"] = 0.0
    losses = [float(model.step(Batch(points(), None))["discriminator"].detach()) for _ in range(30)]
    assert losses[-1] < 0.5 < losses[0]
    codes = model.encoder(points())
    assert float(model.discriminator(torch.randn(200, 3)).detach().mean()) > 0
    assert float(model.discriminator(codes).detach().mean()) < 0


def test_each_phase_of_an_aae_moves_its_own_networks() -> None:
    rates = {"optimizer": {"encoder", "decoder"}, "discriminator_optimizer": {"discriminator"}}
    for learner, expected in (rates | {"encoder_optimizer": {"encoder"}}).items():
        model = built(AAE)
        for name in (*rates, "encoder_optimizer"):
            getattr(model, name).param_groups[0]["lr"] = 1e-2 if name == learner else 0.0
        before = {name: value.clone() for name, value in model.named_parameters()}
        model.step(Batch(points(), None))
        moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
        assert moved == expected
