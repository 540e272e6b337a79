"""Samples exported as a picture, a file of arrays, or a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.errors import RequestError
from ganbench.pictures.export import export_samples

IMAGES = np.arange(3 * 3 * 4 * 5, dtype=np.uint8).reshape(3, 3, 4, 5)
POINTS = np.zeros((7, 2), dtype=np.float32)


def test_images_come_back_from_each_form(tmp_path: Path) -> None:
    labels = np.array([2, 0, 1])
    export_samples(tmp_path / "a.npz", IMAGES, labels)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert (found["samples"] == IMAGES).all()
        assert (found["labels"] == labels).all()
    export_samples(tmp_path / "folder", IMAGES, labels)
    for index, image in enumerate(IMAGES):
        with Image.open(tmp_path / "folder" / f"{index}.png") as picture:
            assert (np.asarray(picture) == image.transpose(1, 2, 0)).all()
    export_samples(tmp_path / "a.png", IMAGES, None)
    assert (tmp_path / "a.png").exists()


def test_points_are_a_picture_or_arrays_and_no_folder(tmp_path: Path) -> None:
    export_samples(tmp_path / "p.png", POINTS, None)
    export_samples(tmp_path / "p.npz", POINTS, None)
    with pytest.raises(RequestError, match="name a .npz file"):
        export_samples(tmp_path / "p", POINTS, None)
    with pytest.raises(RequestError, match="no picture can be drawn"):
        export_samples(tmp_path / "q.png", np.zeros((7, 3), dtype=np.float32), None)
