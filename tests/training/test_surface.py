"""The discriminator's surface: where there is one, and that looking changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import DataSpec, Model
from ganbench.training.surface import SIDE, surface


class Discriminating(Model):
    """Has whatever discriminator a test puts there."""

    name = "discriminating"

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.zeros(n, 2)


def discriminating(discriminator: object) -> Discriminating:
    model = Discriminating(DataSpec((2,), 8, "ring8", 100), Discriminating.Config())
    if discriminator is not None:
        model.discriminator = discriminator  # type: ignore[assignment]
    return model


def slope(points: Tensor) -> Tensor:
    return points[:, 0] + 10 * points[:, 1]


def test_a_surface_has_a_row_for_each_y_from_below() -> None:
    found = surface(discriminating(slope))
    axis = torch.linspace(-1, 1, SIDE)
    torch.testing.assert_close(found, 10 * axis[:, None] + axis[None, :])


@pytest.mark.parametrize(
    "discriminator",
    [
        None,
        "no function",
        lambda points, labels: points[:, 0],
        lambda points: points,
        lambda points: points[:, 0] / 0,
        lambda points: (points[:, 0], points),
        nn.Conv2d(1, 1, 3),
    ],
    ids=["absent", "text", "asks for labels", "two outputs", "infinite", "a pair", "of images"],
)
def test_what_gives_no_surface_is_passed_over(discriminator: object) -> None:
    assert surface(discriminating(discriminator)) is None


def test_looking_changes_nothing() -> None:
    model = discriminating(nn.Sequential(nn.Linear(2, 4), nn.Dropout(), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    model.train()
    before, random = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    assert torch.equal(surface(model), surface(model))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training
    assert model.discriminator[1].training


def test_images_have_no_surface() -> None:
    model = Discriminating(DataSpec((1, 8, 8), 0, "digits", 100), Discriminating.Config())
    model.discriminator = lambda images: images  # type: ignore[assignment]
    assert surface(model) is None
