"""Splits and content hashes."""

from __future__ import annotations

import numpy as np
import pytest

from ganbench.data.dataset import Dataset, DataSource, Split, content_hash, make_dataset, stratified_split
from ganbench.errors import RequestError
from ganbench.registry.entry_points import Origin
from ganbench.registry.lookup import load_dataset
from ganbench.registry.registry import Registry


def numbered(n: int) -> np.ndarray:
    """Return images that say in their pixels which one they are."""
    return np.arange(n, dtype=np.uint16).view(np.uint8).reshape(n, 1, 1, 2)


def test_a_split_deals_every_image_out_once_and_keeps_its_label() -> None:
    labels = np.repeat(np.arange(4), [40, 30, 20, 10])
    parts = stratified_split(numbered(100), labels, 20, 20)
    assert [len(part) for part in parts] == [60, 20, 20]
    ids = [np.ascontiguousarray(part.images).view(np.uint16).ravel() for part in parts]
    assert sorted(np.concatenate(ids)) == list(range(100))
    for part, chosen in zip(parts, ids, strict=True):
        assert (part.labels == labels[chosen]).all()


def test_sizes_that_are_multiples_of_the_classes_come_out_exact() -> None:
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(10), 50))
    train, test, validation = stratified_split(numbered(500), labels, 100, 50)
    for part, each in ((train, 35), (test, 10), (validation, 5)):
        assert np.bincount(part.labels).tolist() == [each] * 10


def test_the_split_is_always_the_same() -> None:
    labels = np.arange(50) % 5
    first, again = (stratified_split(numbered(50), labels, 10, 10) for _ in range(2))
    assert content_hash(*first) == content_hash(*again)


def test_the_hash_tells_pixels_labels_shapes_and_splits_apart() -> None:
    images, labels = numbered(8), np.arange(8)
    other_pixels, other_labels = images.copy(), labels.copy()
    other_pixels[3, 0, 0, 0] ^= 1
    other_labels[3] = 0
    variants = [
        (Split(images, labels), Split(images[:2], None)),
        (Split(other_pixels, labels), Split(images[:2], None)),
        (Split(images, other_labels), Split(images[:2], None)),
        (Split(images, None), Split(images[:2], None)),
        (Split(images.reshape(8, 1, 2, 1), labels), Split(images[:2], None)),
        (Split(images[:2], None), Split(images, labels)),
    ]
    assert len({content_hash(*variant) for variant in variants}) == len(variants)
    assert content_hash(Split(images, labels.astype(np.int32))) == content_hash(Split(images, labels))


def test_content_that_is_not_the_expected_is_refused() -> None:
    split = Split(numbered(4), None)
    dataset: Dataset = make_dataset("mine", split, split, split, classes=0)
    registry = Registry()
    for name, expected in (("open", None), ("right", dataset.sha256), ("wrong", "0" * 64)):
        registry.take("datasets", DataSource(name, lambda folder: dataset, "", expected), Origin("test", "", ""))
    assert load_dataset("open", registry, None) is dataset
    assert load_dataset("right", registry, None) is dataset
    with pytest.raises(RequestError, match=f"'wrong'.*{dataset.sha256[:12]}.*damaged"):
        load_dataset("wrong", registry, None)
