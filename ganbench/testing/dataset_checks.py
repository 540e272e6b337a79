"""What must hold for every data set: three disjoint splits of one form, with labels in range, always the same."""

from __future__ import annotations

import hashlib
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from ganbench.data.dataset import Dataset, DataSource, Split, make_dataset
from ganbench.testing.check import Check, registrable, require

SPLITS = ("train", "validation", "test")
LEAST = 20
"""Images of a split: a track scores no fewer."""


class DatasetCase:
    """A data set under test, loaded twice; `data_dir` is where its files lie or go, None for the usual place."""

    def __init__(self, source: DataSource, data_dir: Path | None = None) -> None:
        self.source, self.data_dir, self.calling = source, data_dir, ""
        self.name = str(getattr(source, "name", source))

    def load(self) -> Dataset:
        self.calling = "load"
        dataset = self.source.load(self.data_dir)
        self.calling = ""
        assert isinstance(dataset, Dataset), (
            f"{self.name}: load returned {type(dataset).__name__}: return what ganbench.make_dataset makes"
        )
        return dataset

    @cached_property
    def dataset(self) -> Dataset:
        return self.load()

    def splits(self) -> list[tuple[str, Split]]:
        return [(name, self.dataset.split(name)) for name in SPLITS]

    @property
    def are_points(self) -> bool:
        return self.dataset.train.images.ndim == 2


_check = partial(Check, DatasetCase)


@_check
def is_a_data_source(case: DatasetCase) -> None:
    """It is a `ganbench.DataSource` with a name and a summary, and what it loads bears the same name."""
    registrable("datasets", case.source)
    assert case.source.summary.strip(), f"{case.name}: summary is empty: `ganbench datasets` shows it"
    loaded = case.dataset.name
    assert loaded == case.name, f"{case.name}: the data set that it loads is called {loaded!r}: give it the same name"


@_check
def has_splits_of_one_form(case: DatasetCase) -> None:
    """Images are uint8 (N, C, H, W) with 1 or 3 channels, points float32 (N, D) in [-1, 1]; all splits are alike."""
    for name, split in case.splits():
        where, images = f"{case.name}: {name} images are", split.images
        assert isinstance(images, np.ndarray), f"{where} a {type(images).__name__}, not a NumPy array"
        form = f"{where} {images.dtype} of shape {images.shape}"
        assert images.ndim in (2, 4), f"{form}: give (N, C, H, W), or (N, D) for points"
        wanted = "float32" if images.ndim == 2 else "uint8"
        assert images.dtype == wanted, f"{form}: give {wanted}, images in 0..255 and points in [-1, 1]"
        assert images.ndim == 2 or images.shape[1] in (1, 3), f"{form}: the second is channels, 1 or 3"
        assert images.shape[1:] == case.dataset.shape, f"{form}, and those of train of {case.dataset.shape}"
        assert len(images) >= LEAST, f"{where} {len(images)}: at least {LEAST}, which is what a track scores"
        if images.ndim == 2:
            inside = bool(np.isfinite(images).all()) and float(np.abs(images).max()) <= 1
            assert inside, f"{where} points beyond [-1, 1]: scale them"
        assert images.min() < images.max(), f"{where} all of one value, {images.min()}"


@_check
def uses_the_range(case: DatasetCase) -> None:
    """Some pixel is brighter than 1: images in 0..255, not in [0, 1] cut to whole numbers."""
    if not case.are_points:
        largest = int(case.dataset.train.images.max())
        assert largest > 1, f"{case.name}: no pixel is above {largest}: multiply by 255 before making them uint8"


@_check
def has_labels_in_range(case: DatasetCase) -> None:
    """Labels are int64 (N,) from 0 up to `classes`, or None in every split, where `classes` is 0."""
    classes = case.dataset.classes
    for name, split in case.splits():
        where = f"{case.name}: {name} labels are"
        if split.labels is None:
            assert classes == 0, f"{where} None, but classes = {classes}: give labels, or classes = 0"
            continue
        labels = split.labels
        assert labels.dtype == np.int64, f"{where} {labels.dtype}: give int64"
        shaped = labels.shape == (len(split),)
        assert shaped, f"{where} of shape {labels.shape}: give one for each of {len(split)} images"
        low, high = int(labels.min()), int(labels.max())
        within = low >= 0 and high < classes
        assert within, f"{where} from {low} to {high}, with classes = {classes}: count from 0 up to classes - 1"
    names = case.dataset.class_names
    assert len(names) in (0, classes), f"{case.name}: has {len(names)} class_names for {classes} classes"


@_check
def has_every_class_in_every_split(case: DatasetCase) -> None:
    """No class is missing from a split: a reference without it could not miss it."""
    for name, split in case.splits():
        if split.labels is not None:
            missing = sorted(set(range(case.dataset.classes)) - set(split.labels.tolist()))
            assert not missing, f"{case.name}: {name} has no image of class {missing[0]}: split each class by itself"


@_check
def has_disjoint_splits(case: DatasetCase) -> None:
    """No image of one split is in another: a model would be scored on what it learnt."""
    seen = {name: _hashes(split) for name, split in case.splits()}
    for first, second in (("train", "test"), ("train", "validation"), ("validation", "test")):
        shared = len(seen[first] & seen[second])
        assert not shared, (
            f"{case.name}: {shared} images of {second} are in {first} too: remove copies before splitting"
        )


@_check
def loads_the_same_each_time(case: DatasetCase) -> None:
    """Loaded again it is the same, bit for bit, and has the hash that its source expects."""
    first, again, expected = case.dataset.sha256, case.load().sha256, case.source.sha256
    assert first == again, f"{case.name}: loaded twice it is not the same: split and draw with a fixed seed"
    known = expected is None or first == expected
    assert known, f"{case.name}: its content has the hash {first[:12]}, and its source says {str(expected)[:12]}"


@_check
def states_its_own_hash(case: DatasetCase) -> None:
    """`sha256` is that of the splits, as `ganbench.make_dataset` computes it."""
    data = case.dataset
    made = make_dataset(data.name, data.train, data.test, data.validation, data.classes, data.modes)
    same = made.sha256 == data.sha256
    assert same, f"{case.name}: its sha256 is not that of its content: make it with ganbench.make_dataset"


def _hashes(split: Split) -> set[bytes]:
    return {hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in split.images}


DATASET_CHECKS = (
    is_a_data_source,
    has_splits_of_one_form,
    uses_the_range,
    has_labels_in_range,
    has_every_class_in_every_split,
    has_disjoint_splits,
    loads_the_same_each_time,
    states_its_own_hash,
)


def check_dataset(source: DataSource, data_dir: Path | None = None) -> None:
    """Run every check on a data set. Raises AssertionError, with a line for each rule that is broken."""
    require(DATASET_CHECKS, DatasetCase(source, data_dir))
