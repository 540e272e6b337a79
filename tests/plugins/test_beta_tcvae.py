"""The decomposition of the KL term against closed forms of Gaussians, and what its weight does."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench.model import Batch, DataSpec
from ganbench_plugins.beta_tcvae import BetaTCVAE, decomposed_kl
from ganbench_plugins.vae import log_normal

VARIANCE = 0.5


def test_parts_are_those_of_gaussians() -> None:
    """Means drawn from N(0, M) and posteriors N(mean, VARIANCE I): codes follow N(0, M + VARIANCE I)."""
    generator = torch.Generator().manual_seed(0)
    factor = torch.tensor([[1.0, 0.0], [0.9, 0.3]])
    mean = torch.randn(2000, 2, generator=generator) @ factor.T
    latent = mean + VARIANCE**0.5 * torch.randn(2000, 2, generator=generator)
    found = decomposed_kl(latent, mean, torch.full((2000, 2), math.log(VARIANCE)), 2000)
    covariance = factor @ factor.T + VARIANCE * torch.eye(2)
    each = covariance.diagonal()
    expected = {
        "mutual_information": 0.5 * (covariance.logdet() - 2 * math.log(VARIANCE)),
        "total_correlation": 0.5 * (each.log().sum() - covariance.logdet()),
        "dimension_kl": 0.5 * (each - 1 - each.log()).sum(),
    }
    assert float(expected["total_correlation"]) > 0.2
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value), abs=0.06), name


def test_parts_add_up_to_the_kl_term_of_the_sample_whatever_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, log_variance, latent = (torch.randn(7, 3, generator=generator) for _ in range(3))
    nothing = torch.zeros(7, 3)
    expected = (log_normal(latent, mean, log_variance) - log_normal(latent, nothing, nothing)).mean()
    for b in (1, 7):
        part = decomposed_kl(latent[:b], mean[:b], log_variance[:b], 1000)
        assert all(value.isfinite() for value in part.values())
        if b == 7:
            torch.testing.assert_close(torch.stack(list(part.values())).sum(), expected)


def test_the_density_of_codes_is_estimated_without_bias() -> None:
    """Over all batches of 2 of 4 images that hold a code's own, the mean estimate is the mean of all posteriors."""
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(4, 2, generator=generator), torch.randn(4, 2, generator=generator)
    latent = torch.randn(1, 2, generator=generator).expand(2, 2)
    estimates = []
    for other in (1, 2, 3):
        pair = [0, other]
        parts = decomposed_kl(latent, mean[pair], log_variance[pair], 4)
        own = log_normal(latent, mean[pair], log_variance[pair])
        # Codes are equal here: the mean over both rows is that of a code of image 0 and one of the other.
        shares = torch.tensor([[0.25, 0.75], [0.75, 0.25]]) @ own.exp()
        torch.testing.assert_close(parts["mutual_information"], (own - shares.log()).mean())
        estimates.append(shares[0])
    expected = log_normal(latent[:1], mean, log_variance).exp().mean()
    torch.testing.assert_close(torch.stack(estimates).mean(), expected)


def test_beta_weighs_the_total_correlation_alone() -> None:
    model = BetaTCVAE(DataSpec((1, 8, 8), 0, "toy", 64), BetaTCVAE.Config(latent_dim=3, width=4, hidden=8, beta=7.0))
    images = torch.rand(6, 1, 8, 8) * 2 - 1
    losses = model.step(Batch(images, None))
    one = {name: torch.tensor(float(i)) for i, name in enumerate(losses)}
    assert list(one) == ["reconstruction", "mutual_information", "total_correlation", "dimension_kl"]
    assert float(model.objective(one)) == 0 + 1 + 7 * 2 + 3
