"""The data sets that need no download."""

from __future__ import annotations

import gzip
import importlib.util
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ganbench.data import embedded
from ganbench.data.dataset import Dataset
from ganbench.data.embedded import (
    DIGITS,
    MNIST5K,
    MNIST5K_BINARY,
    load_digits,
    load_mnist5k,
    load_mnist5k_binary,
    mnist5k_digits,
)
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
    with np.load(io.BytesIO(raw)) as file:
        images, labels = file["images"], file["labels"]
    labels[-1] ^= 1
    out = io.BytesIO()
    np.savez_compressed(out, images=images, labels=labels)
    return out.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[: len(raw) // 2] + b"\xff" * 4000 + raw[len(raw) // 2 + 4000 :],
        lambda raw: b"<html>not found</html>",
        lambda raw: b"",
        other_digit,
    ],
    ids=["cut off", "overwritten", "another file", "empty", "one digit"],
)
def test_a_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "mnist5k.npz"
    path.write_bytes(damage(embedded.MNIST5K_FILE.read_bytes()))
    assert_refused(path, "reinstall ganbench", load_mnist5k, monkeypatch)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_refused(tmp_path / "mnist5k.npz", "reinstall ganbench", load_mnist5k, monkeypatch)


def assert_refused(path: Path, advice: str, load: Callable[[], Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MNIST5K_FILE", path)
    with pytest.raises(RequestError) as refusal:
        load()
    assert str(path) in str(refusal.value)
    assert advice in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"1,2\n")[:-3], gzip.compress(b"1,2,x\n")], ids=["no gzip", "cut off", "text"]
)
def test_a_damaged_file_of_scikit_learn_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = tmp_path / "datasets" / "data" / "digits.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: found)
    with pytest.raises(RequestError) as refusal:
        load_digits()
    assert str(path) in str(refusal.value) and "reinstall scikit-learn" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_nothing_else_is_needed_for_the_bundled_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    assert load_mnist5k().sha256 == MNIST5K.sha256
    assert load_mnist5k_binary().sha256 == MNIST5K_BINARY.sha256
    assert not list(tmp_path.iterdir())
