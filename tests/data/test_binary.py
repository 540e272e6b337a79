"""Black and white digits: drawn by brightness, the same everywhere and every time."""

from __future__ import annotations

import numpy as np
import pytest

from ganbench.data.binarize import binarise
from ganbench.data.embedded import MNIST5K_BINARY, load_mnist5k


@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_a_pixels_brightness_is_its_chance_to_be_white(level: int) -> None:
    grey = np.full((1500, 1, 10, 10), level, np.uint8)
    binary = binarise(grey, seed=0)
    assert set(np.unique(binary)) <= {0, 255}
    assert binary.shape == grey.shape
    share, deviation = level / 255, (level / 255 * (1 - level / 255) / grey.size) ** 0.5
    assert abs(binary.mean() / 255 - share) <= 4 * deviation


def test_black_and_white_is_drawn_once_and_for_all() -> None:
    grey = np.arange(8, dtype=np.uint8).reshape(1, 1, 2, 4) * 36
    assert binarise(grey, seed=0).flatten().tolist() == [0, 0, 0, 0, 0, 255, 255, 255]
    both = np.concatenate([np.full((1000, 1, 2, 2), 128, np.uint8)] * 2)
    halves = np.split(binarise(both, seed=0), 2)
    assert not np.array_equal(*halves)
    assert not np.array_equal(halves[0], binarise(both[:1000], seed=1))


def test_the_embedded_digits_are_split_as_the_grey_ones() -> None:
    binary, grey = MNIST5K_BINARY.load(None), load_mnist5k()
    assert binary.sha256 == MNIST5K_BINARY.sha256 != grey.sha256
    for name in ("train", "test", "validation"):
        mine, theirs = getattr(binary, name), getattr(grey, name)
        assert np.array_equal(mine.labels, theirs.labels)
        assert set(np.unique(mine.images)) == {0, 255}
        assert (mine.images[theirs.images == 255] == 255).all()
        assert not mine.images[theirs.images == 0].any()
