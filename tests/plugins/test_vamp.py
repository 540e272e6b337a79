"""The VampPrior's density and its draws against torch's mixture of the pseudo-inputs' posteriors."""

from __future__ import annotations

import torch
from torch import distributions

from ganbench.model import Batch, DataSpec
from ganbench_plugins.vamp import Vamp

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)


def model_and_mixture() -> tuple[Vamp, distributions.MixtureSameFamily]:
    torch.manual_seed(0)
    model = Vamp(SPEC, Vamp.Config(latent_dim=3, width=4, hidden=8, components=4))
    with torch.no_grad():
        model.encoder[-1].weight.mul_(20)  # components that lie apart
        mean, log_variance = model.posterior(model.pseudo.clamp(-1, 1))
    components = distributions.Independent(distributions.Normal(mean, (0.5 * log_variance).exp()), 1)
    return model, distributions.MixtureSameFamily(distributions.Categorical(torch.ones(4)), components)


@torch.no_grad()
def test_the_prior_is_the_mixture_of_the_posteriors_of_pseudo_inputs() -> None:
    model, mixture = model_and_mixture()
    latent = mixture.sample((6,))
    torch.testing.assert_close(model.log_prior(latent), mixture.log_prob(latent), rtol=1e-4, atol=1e-4)
    mean, log_variance = torch.randn(6, 3), torch.randn(6, 3)
    posterior = distributions.Independent(distributions.Normal(mean, (0.5 * log_variance).exp()), 1)
    expected = posterior.log_prob(latent) - mixture.log_prob(latent)
    torch.testing.assert_close(model.kl(mean, log_variance, latent), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_latents_are_drawn_from_the_prior() -> None:
    model, mixture = model_and_mixture()
    found = model.latent(20_000)
    error = mixture.variance.sqrt() / 20_000**0.5
    assert ((found.mean(0) - mixture.mean).abs() < 5 * error).all()
    torch.testing.assert_close(found.var(0), mixture.variance, rtol=0.05, atol=0.01)


def test_pseudo_inputs_learn() -> None:
    model, _ = model_and_mixture()
    before = model.pseudo.detach().clone()
    model.step(Batch(torch.rand(6, 1, 8, 8) * 2 - 1, None))
    assert (model.pseudo != before).flatten(1).any(1).all()


def test_the_kl_term_warms_up() -> None:
    torch.manual_seed(0)
    model = Vamp(SPEC, Vamp.Config(latent_dim=3, width=4, hidden=8, components=4, warmup=11))
    weights = []
    for _ in range(3):
        weights.append(model.kl_weight)
        model.step(Batch(torch.rand(6, 1, 8, 8) * 2 - 1, None))
    assert weights == [1 / 12, 7 / 12, 1]
    losses = {"reconstruction": torch.tensor(3.0), "kl": torch.tensor(2.0)}
    model.images_seen = 5
    assert float(model.objective(losses)) == 4
