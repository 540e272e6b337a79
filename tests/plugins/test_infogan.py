"""The bound of the mutual information, and who is moved by it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions

from ganbench.model import Batch, DataSpec
from ganbench_plugins.infogan import InfoGAN

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)


def made(**settings: float) -> InfoGAN:
    torch.manual_seed(0)
    small = {"width": 4, "hidden": 8, "translation": 0, "categories": 4}
    return InfoGAN(SPEC, InfoGAN.Config(**{**small, **settings}))


def drawn(model: InfoGAN, n: int) -> Tensor:
    torch.manual_seed(1)
    return model.generate(model.generator, model.latent(n), None)


def test_the_code_is_a_class_and_uniform_numbers() -> None:
    model = made()
    latent = model.latent(6000)
    assert latent.shape == (6000, 4 + 2 + 10)
    category, continuous, noise = latent.split([4, 2, 10], 1)
    assert torch.equal(category.sort(1).values, torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(6000, 4))
    assert (category.mean(0) - 0.25).abs().max() < 0.03
    assert continuous.abs().max() <= 1
    torch.testing.assert_close(continuous.var(0), torch.full((2,), 1 / 3), atol=0.02, rtol=0)
    torch.testing.assert_close(noise.var(0), torch.ones(10), atol=0.1, rtol=0)


def test_the_bound_is_the_codes_log_likelihood_and_its_entropy() -> None:
    model = made()
    drawn(model, 6)
    outputs = torch.randn(6, 4 + 2 + 2, generator=torch.Generator().manual_seed(2))
    logits, mean, log_deviation = outputs.split([4, 2, 2], 1)
    class_prior = distributions.Categorical(probs=torch.full((4,), 0.25))
    class_guess = distributions.Categorical(logits=logits).log_prob(model.code[:, :4].argmax(1))
    number_guess = distributions.Normal(mean, log_deviation.exp()).log_prob(model.code[:, 4:]).sum(1)
    of_class, of_numbers = model.information(outputs)
    torch.testing.assert_close(of_class, class_guess.mean() + class_prior.entropy())
    entropy = distributions.Uniform(-1.0, 1.0).entropy() * 2
    torch.testing.assert_close(of_numbers, number_guess.mean() + entropy)


def test_a_perfect_guess_of_the_class_is_worth_its_entropy_and_a_blind_one_nothing() -> None:
    model = made()
    drawn(model, 6)
    certain = torch.cat([100 * model.code[:, :4], torch.zeros(6, 4)], 1)
    assert float(model.information(certain)[0]) == pytest.approx(math.log(4), abs=1e-5)
    assert float(model.information(torch.zeros(6, 8))[0]) == pytest.approx(0, abs=1e-5)


def test_both_losses_are_the_gans_less_the_weighed_bound() -> None:
    model = made(weight=0.7, continuous_weight=0.2).eval()
    fake = drawn(model, 6).detach()
    real = torch.rand(6, 1, 8, 8) * 2 - 1
    on_real, on_fake = model.discriminator(real), model.discriminator(fake)
    of_class, of_numbers = model.information(on_fake[:, 1:])
    bound = 0.7 * of_class + 0.2 * of_numbers
    real_score, fake_score = on_real[:, 0].sigmoid(), on_fake[:, 0].sigmoid()
    expected = -(real_score.log() + (1 - fake_score).log()).mean() - bound
    torch.testing.assert_close(model.discriminator_loss(real, fake, None), expected)
    torch.testing.assert_close(model.generator_loss(real, fake, None), -fake_score.log().mean() - bound)


def test_generator_and_head_learn_the_code() -> None:
    model = made(lr=5e-3, ema=0.0, width=8, hidden=32, weight=10.0)
    data = Batch(torch.rand(16, 1, 8, 8) * 2 - 1, None)

    def bound() -> float:
        model.eval()
        with torch.no_grad():
            found = model.information(model.discriminator(drawn(model, 200))[:, 1:])[0]
        model.train()
        return float(found)

    before = bound()
    for _ in range(50):
        model.step(data)
    assert before < 0.1
    assert bound() > 0.5
