"""Pictures of points: their size, what is seen on them, and contours that are only drawn where there are any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ganbench.data.dataset import Modes
from ganbench.pictures.scatter import _draw, frame_png, write_points, write_training

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


def test_good_and_bad_samples_and_captured_and_lost_modes_are_told_apart(tmp_path: Path) -> None:
    modes, path = Modes(np.array([[-0.5, 0.0], [0.5, 0.0]]), 0.05), tmp_path / "modes.png"
    points = np.array([[-0.5, 0.0]] * 50 + [[0.0, 0.5]] * 50)
    write_points(path, points, modes=modes)
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)

    def at(x: float, y: float) -> tuple[int, int, int]:
        return tuple(pixels[round(320 - 320 * y), round(320 + 320 * x)].tolist())

    (red, _, blue), (bad_red, _, bad_blue) = at(-0.5, 0.0), at(0.0, 0.5)
    assert blue > 100 > red and bad_red > 150 > 100 > bad_blue  # blue within a circle, orange without
    assert max(at(0.5, 0.0)) < 60  # a cross in the mode that is lost
    for x in (-0.5, 0.5):
        ring = pixels[318:323, round(320 + 320 * (x + 0.15)) - 2 :][:, :5]
        assert ring.min() < 100, "a circle of three standard deviations"


def test_a_panel_says_what_all_samples_capture() -> None:
    axes = Figure().add_subplot()
    modes = Modes(np.array([[-0.5, 0.0], [0.5, 0.0]]), 0.05)
    points = np.array([[-0.5, 0.0]] * 60 + [[0.5, 0.1]] + [[0.9, 0.9]] * 39)
    assert _draw(axes, points, None, None, modes, size=1.0, shown=10) == "1 of 2 modes, 61% good"
    assert _draw(axes, points, points, None, None, size=1.0) == ""


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
