"""The LSTM VAE reads and writes an image as the sequence of its rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganbench.model import Batch, DataSpec
from ganbench_plugins.lstm_vae import LSTMVAE

SPEC = DataSpec((2, 5, 3), 0, "toy", 64)


def small() -> LSTMVAE:
    torch.manual_seed(0)
    return LSTMVAE(SPEC, LSTMVAE.Config(latent_dim=2, hidden=4))


def inputs(lstm: torch.nn.Module) -> list[Tensor]:
    seen: list[Tensor] = []
    lstm.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    return seen


@torch.no_grad()
def test_rows_are_the_sequence() -> None:
    model, images = small(), torch.rand(4, 2, 5, 3)
    rows = inputs(model.encoder.lstm)
    model.posterior(images)
    assert rows[0].shape == (4, 5, 6)
    for i in range(5):
        assert torch.equal(rows[0][:, i], images[:, :, i].flatten(1)), "a row holds every channel"

    states: list[Tensor] = []
    model.decoder.lstm.register_forward_hook(lambda _, __, output: states.append(output[0]))
    output = model.decoder(torch.randn(4, 2))
    for i in range(5):
        torch.testing.assert_close(output[:, :, i].flatten(1), model.decoder.head(states[0][:, i]))


@torch.no_grad()
def test_the_posterior_depends_on_every_row_and_each_row_on_the_latent() -> None:
    model, images = small(), torch.rand(1, 2, 5, 3)
    before, _ = model.posterior(images)
    for i in range(5):
        changed = images.clone()
        changed[:, :, i] -= 1
        assert (model.posterior(changed)[0] != before).all()
    difference = model.decoder(torch.zeros(1, 2)) - model.decoder(torch.ones(1, 2))
    assert (difference.abs().amax((0, 1, 3)) > 0).all()


def test_both_networks_learn_and_points_are_refused() -> None:
    model = small()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    losses = model.step(Batch(torch.rand(4, 2, 5, 3), None))
    assert set(losses) == {"reconstruction", "kl"}
    still = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
    assert still == {"log_variance"}
    with pytest.raises(ValueError, match="row by row"):
        LSTMVAE(DataSpec((2,), 0, "points", 64), LSTMVAE.Config())
