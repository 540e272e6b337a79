"""The autoencoder's error, and the control variable k_t, on fixed numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.began import BEGAN

SPEC = DataSpec((2,), 0, "toy", 64)
REAL, FAKE = torch.tensor([[0.5, -1.0], [1.0, 0.0]]), torch.tensor([[0.25, 0.25], [-0.5, 0.0]])


class Half(nn.Module):
    """Reconstructs half of an image, so that L(v) is half its mean absolute value."""

    def forward(self, images: Tensor) -> Tensor:
        return images / 2


def made(k: float, gamma: float = 0.5, lambda_k: float = 0.1) -> BEGAN:
    model = BEGAN(SPEC, BEGAN.Config(gamma=gamma, lambda_k=lambda_k))
    model.discriminator = Half()
    model.k.fill_(k)
    return model


def test_losses_weigh_generated_images_by_k() -> None:
    model = made(k=0.4)
    assert float(model.discriminator_loss(REAL, FAKE, None)) == pytest.approx(0.3125 - 0.4 * 0.125)
    assert float(model.generator_loss(REAL, FAKE, None)) == pytest.approx(0.125)


def test_k_moves_towards_the_balance_and_convergence_is_measured() -> None:
    model = made(k=0.4, gamma=0.5, lambda_k=0.1)
    model.discriminator_loss(REAL, FAKE, None)
    assert float(model.k) == pytest.approx(0.4), "k moves with the generator's update"
    model.generator_loss(REAL, FAKE, None)
    assert float(model.k) == pytest.approx(0.4 + 0.1 * (0.5 * 0.3125 - 0.125))
    assert float(model.convergence) == pytest.approx(0.3125 + abs(0.5 * 0.3125 - 0.125))
    model = made(k=0.4, gamma=0.2, lambda_k=0.1)
    model.real_error.fill_(0.3125)
    model.control(torch.tensor(0.125))
    assert float(model.k) == pytest.approx(0.4 + 0.1 * (0.2 * 0.3125 - 0.125))
    assert float(model.convergence) == pytest.approx(0.3125 + abs(0.2 * 0.3125 - 0.125))


@pytest.mark.parametrize(("k", "real", "fake", "expected"), [(0.9, 9.0, 0.0, 1.0), (0.1, 0.0, 9.0, 0.0)])
def test_k_stays_between_zero_and_one(k: float, real: float, fake: float, expected: float) -> None:
    model = made(k=k)
    model.real_error.fill_(real)
    model.control(torch.tensor(fake))
    assert float(model.k) == expected


def test_k_learns_in_training_is_kept_in_checkpoints_and_its_past_is_not_differentiated() -> None:
    torch.manual_seed(0)
    model = BEGAN(SPEC, BEGAN.Config(hidden=8))
    for _ in range(2):
        losses = model.step(Batch(REAL, None))
        assert torch.equal(losses["convergence"], model.convergence)
    assert 0 < float(model.k) < 1 and not model.k.requires_grad
    assert torch.equal(model.state_dict()["k"], model.k)


def test_latents_are_uniform() -> None:
    latent = made(k=0).latent(5000)
    assert float(latent.min()) >= -1 and float(latent.max()) <= 1
    assert float(latent.mean()) == pytest.approx(0, abs=0.03)
    assert float(latent.square().mean()) == pytest.approx(1 / 3, rel=0.03)
