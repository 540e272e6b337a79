"""Pictures of points: their size, what is seen on them, and contours that are only drawn where there are any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.pictures.scatter import frame_png, write_points, write_training

AXIS = np.linspace(-1, 1, 81, dtype=np.float32)
SLOPE = 10 * AXIS[:, None] + AXIS[None, :]


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def colours(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as picture:
        return {tuple(pixel) for pixel in np.asarray(picture.convert("RGB")).reshape(-1, 3).tolist()}


def test_samples_lie_over_data_and_surface(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (300, 2)).astype(np.float32)
    bare, full = tmp_path / "bare.png", tmp_path / "full.png"
    write_points(bare, points)
    write_points(full, points, -points, SLOPE)
    assert size(bare) == size(full) == (640, 640)
    assert len(colours(full)) > len(colours(bare)) > 10
    write_points(tmp_path / "again.png", points)
    assert (tmp_path / "again.png").read_bytes() == bare.read_bytes()


@pytest.mark.parametrize(("count", "expected"), [(1, (300, 324)), (3, (900, 324)), (6, (900, 648))])
def test_a_training_is_a_panel_a_point_of_the_curve(tmp_path: Path, count: int, expected: tuple[int, int]) -> None:
    data = np.zeros((2000, 2), dtype=np.float32)
    panels = [
        (100 * at, np.full((2000, 2), at / 10, dtype=np.float32), SLOPE if at % 2 else None) for at in range(count)
    ]
    write_training(tmp_path / "training.png", panels, data)
    assert size(tmp_path / "training.png") == expected
    assert len(colours(tmp_path / "training.png")) > 5


def test_a_flat_surface_is_no_contour(tmp_path: Path) -> None:
    write_points(tmp_path / "flat.png", np.zeros((5, 2)), None, np.ones((81, 81)))
    assert size(tmp_path / "flat.png") == (640, 640)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e38])
def test_a_frame_is_a_small_picture_wherever_the_points_lie(tmp_path: Path, value: float) -> None:
    points = np.full((2000, 2), value, dtype=np.float32)
    png = frame_png(points, None, SLOPE)
    assert png == frame_png(points, None, SLOPE)
    path = tmp_path / "frame.png"
    path.write_bytes(png)
    assert size(path) == (320, 320)
    assert len(png) < 10_000
