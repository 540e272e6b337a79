"""Pictures of points: their size, what is seen on them, and a surface that is only drawn where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ganbench.model import DataSpec, Model
from ganbench.pictures.scatter import SHOWN, SIDE, snapshots, surface, write_points, write_training


class Judging(Model):
    """Has whatever discriminator a test puts there."""

    name = "judging"

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.zeros(n, 2)


def judging(discriminator: object) -> Judging:
    model = Judging(DataSpec((2,), 8, "ring8", 100), Judging.Config())
    if discriminator is not None:
        model.discriminator = discriminator  # type: ignore[assignment]
    return model


def slope(points: Tensor) -> Tensor:
    return points[:, 0] + 10 * points[:, 1]


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def colours(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as picture:
        return {tuple(pixel) for pixel in np.asarray(picture.convert("RGB")).reshape(-1, 3).tolist()}


def test_a_surface_has_a_row_for_each_y_from_below() -> None:
    found = surface(judging(slope))
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
    assert surface(judging(discriminator)) is None


def test_looking_changes_nothing() -> None:
    model = judging(nn.Sequential(nn.Linear(2, 4), nn.Dropout(), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    model.train()
    before, random = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    assert torch.equal(surface(model), surface(model))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training
    assert model.discriminator[1].training


def test_samples_lie_over_data_and_surface(tmp_path: Path) -> None:
    points = torch.rand(300, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    bare, full = tmp_path / "bare.png", tmp_path / "full.png"
    write_points(bare, points)
    write_points(full, points, -points.numpy(), surface(judging(slope)))
    assert size(bare) == size(full) == (640, 640)
    assert len(colours(full)) > len(colours(bare)) > 10
    write_points(tmp_path / "again.png", points)
    assert (tmp_path / "again.png").read_bytes() == bare.read_bytes()


@pytest.mark.parametrize(("count", "expected"), [(1, (300, 324)), (3, (900, 324)), (6, (900, 648))])
def test_a_training_is_a_panel_a_snapshot(tmp_path: Path, count: int, expected: tuple[int, int]) -> None:
    model, data = judging(slope), np.zeros((2000, 2), dtype=np.float32)
    taken = [one for at in range(count) for one in snapshots(model, torch.full((2000, 2), at / 10), 100 * at)]
    assert {len(each["points"]) for each in taken} == {SHOWN}
    write_training(tmp_path / "training.png", taken, data)
    assert size(tmp_path / "training.png") == expected
    assert len(colours(tmp_path / "training.png")) > 10


def test_images_have_no_snapshots() -> None:
    model = Judging(DataSpec((1, 8, 8), 0, "digits", 100), Judging.Config())
    assert snapshots(model, torch.zeros(9, 1, 8, 8, dtype=torch.uint8), 0) == []


def test_a_flat_surface_is_no_contour(tmp_path: Path) -> None:
    write_points(tmp_path / "flat.png", torch.zeros(5, 2), None, torch.ones(SIDE, SIDE))
    assert size(tmp_path / "flat.png") == (640, 640)
