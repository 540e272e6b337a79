"""The bundled LeNets: what they know, and how they take images of other sizes and colours."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.data.dataset import Dataset
from ganbench.data.mnist import FILES, official_splits
from ganbench.errors import RequestError
from ganbench.extractors.base import ExtractorSource
from ganbench.extractors.bundled import LENETS
from ganbench.scoring.features import extract, extract_real
from ganbench.util.atomic_io import sha256_of

CPU = torch.device("cpu")
DIGITS, CLOTHING = LENETS


def test_digits_it_never_trained_on_are_read(mnist5k: Dataset) -> None:
    images = torch.from_numpy(np.concatenate([mnist5k.train.images, mnist5k.test.images, mnist5k.validation.images]))
    labels = np.concatenate([mnist5k.train.labels, mnist5k.test.labels, mnist5k.validation.labels])
    found = extract(DIGITS.load(CPU, None), images)
    assert found.features.shape == (5000, 128)
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(5000))
    assert (found.probabilities.argmax(1).numpy() == labels).mean() >= 0.99


@pytest.mark.parametrize(("source", "folder", "least"), [(DIGITS, "MNIST", 0.993), (CLOTHING, "FashionMNIST", 0.91)])
def test_the_official_test_set(source: ExtractorSource, folder: str, least: float) -> None:
    root = os.environ.get("GANBENCH_DATA")
    if not root or not all((Path(root) / folder / "raw" / file).exists() for file in FILES[folder]):
        pytest.skip(f"GANBENCH_DATA names no folder that holds {folder}")
    test = official_splits(source.name, folder, None)[1]
    found = extract_real(source.load(CPU, None), source.identity(None), torch.from_numpy(test.images))
    assert (found.probabilities.argmax(1).numpy() == test.labels).mean() >= least


def test_colour_becomes_luma(mnist5k: Dataset) -> None:
    extractor = DIGITS.load(CPU, None)
    grey = torch.from_numpy(mnist5k.test.images[:50])
    of_grey = extractor(grey)
    torch.testing.assert_close(extractor(grey.expand(-1, 3, -1, -1)).features, of_grey.features, rtol=1e-3, atol=1e-3)
    red_only = torch.cat([grey, torch.zeros_like(grey), torch.zeros_like(grey)], 1)
    darker = (grey * 0.299).round().to(torch.uint8)
    assert (extractor(red_only).features - extractor(darker).features).abs().max() < 0.2
    assert (extractor(red_only).features - of_grey.features).abs().max() > 1


def test_other_sizes_are_resized(mnist5k: Dataset) -> None:
    extractor = DIGITS.load(CPU, None)
    images, labels = torch.from_numpy(mnist5k.test.images[:200]), torch.from_numpy(mnist5k.test.labels[:200])
    larger = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert (extractor(larger).probabilities.argmax(1) == labels).double().mean() > 0.95
    small = extractor(torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    torch.testing.assert_close(small.features, extractor(torch.zeros(3, 1, 28, 28, dtype=torch.uint8)).features)


def test_images_are_left_as_they_were(mnist5k: Dataset) -> None:
    images = torch.from_numpy(mnist5k.test.images[:4].copy())
    DIGITS.load(CPU, None)(images)
    assert torch.equal(images, torch.from_numpy(mnist5k.test.images[:4]))


def test_a_channel_too_many_is_refused() -> None:
    with pytest.raises(RequestError, match="images have 4 channels, it takes 1 or 3"):
        DIGITS.load(CPU, None)(torch.zeros(1, 4, 28, 28, dtype=torch.uint8))


def test_identity_is_the_weights_hash_and_the_preprocessing() -> None:
    assert DIGITS.identity(None).startswith(
        sha256_of(Path(DIGITS.load.func.__globals__["WEIGHTS"]) / "lenet-mnist.safetensors")
    )
    assert DIGITS.identity(None) != CLOTHING.identity(None)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no weights at"), (b"", "does not hold"), (b"\x08" + bytes(7) + b"{}      ", "does not hold")],
)
def test_wrong_weights_are_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "other.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=said) as refusal:
        DIGITS.load(CPU, path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
