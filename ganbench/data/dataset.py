"""A data set: images (or points) and labels, split once and for all, known by the hash of its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ganbench.util.cache import cache_folder


@dataclass(frozen=True)
class Split:
    """Images uint8 (N, C, H, W), or points float32 (N, D) in [-1, 1]; labels int64 (N,), or None where unlabelled.

    Points are kept as they were drawn: 256 levels would be a grid as coarse as the Gaussians that they come from.
    """

    images: np.ndarray
    labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Modes:
    """Where data that was drawn comes from: equal shares of isotropic Gaussians.

    `centres` float64 (K, D), `sigma` their standard deviation, both in the units of the data, [-1, 1].
    """

    centres: np.ndarray
    sigma: float


@dataclass(frozen=True)
class Dataset:
    """Three disjoint splits: models learn from `train`, are tuned on `validation` and scored against `test`.

    `validation` is also what the ceiling row shows: real images that no model trained on and that are not
    the reference, so that real data is scored exactly as a model's samples are. `class_names` are in the order of the
    labels, empty where classes have none but their numbers; they are no part of the hash.
    """

    name: str
    train: Split
    test: Split
    validation: Split
    classes: int
    sha256: str
    modes: Modes | None = None
    class_names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.train.images.shape[1:])

    @cached_property
    def train_sha256(self) -> str:
        """The hash of what models learn from: a run depends on it, and on no other split."""
        return content_hash(self.train)

    def split(self, name: str) -> Split:
        """Return ``train``, ``validation`` or ``test``."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def reference_sha256(self, name: str) -> str:
        """Return the hash of a split that samples are compared with, and of the modes where they are known."""
        return _with_modes(content_hash(self.split(name)), self.modes)


@dataclass(frozen=True)
class DataSource:
    """How a data set is obtained; `load` takes the folder named by ``--data-dir``, or None.

    `sha256` is the expected content hash; None accepts any content and records what was found. `at(name)` is of a
    family of data sets that share what stands before a colon: it returns the one called ``name``, such as
    ``folder:/my/images``, and raises `RequestError` where the rest of the name cannot be read.
    """

    name: str
    load: Callable[[Path | None], Dataset]
    summary: str
    sha256: str | None = None
    at: Callable[[str], DataSource] | None = None


def data_root(data_dir: Path | None) -> Path:
    """Return where data sets lie or go: ``--data-dir``, else ``GANBENCH_DATA``, else the cache folder."""
    return data_dir or Path(os.environ.get("GANBENCH_DATA") or cache_folder("data"))


def content_hash(*splits: Split) -> str:
    """Return the SHA-256 of the splits' shapes, pixels (or coordinates) and labels, in order."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(repr(split.images.shape).encode())
        digest.update(np.ascontiguousarray(split.images).data)
        if split.labels is not None:
            digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
    return digest.hexdigest()


def make_dataset(
    name: str,
    train: Split,
    test: Split,
    validation: Split,
    classes: int,
    modes: Modes | None = None,
    class_names: tuple[str, ...] = (),
) -> Dataset:
    """Assemble a data set and compute its content hash, of which the modes are a part where they are known."""
    sha256 = _with_modes(content_hash(train, test, validation), modes)
    return Dataset(name, train, test, validation, classes, sha256, modes, class_names)


def _with_modes(sha256: str, modes: Modes | None) -> str:
    if modes is None:
        return sha256
    digest = hashlib.sha256(f"{sha256} {modes.centres.shape} {modes.sigma!r} ".encode())
    digest.update(np.ascontiguousarray(modes.centres, dtype="<f4").data)
    return digest.hexdigest()


def sample_labels(labels: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return n labels, int64, drawn at random from the frequencies of training `labels`, for conditional models.

    The first labels of a longer draw are those of a shorter one. Nobody is handed the reference's exact class balance.
    """
    # RandomState: its stream is the same in every version of NumPy.
    return labels[np.random.RandomState(seed % 2**32).randint(len(labels), size=n)].astype(np.int64)


def stratified_split(images: np.ndarray, labels: np.ndarray, test: int, validation: int) -> tuple[Split, Split, Split]:
    """Split into train, test and validation with the same class shares in each (fixed seed).

    Classes are dealt out in turn: sizes that are multiples of the class count come out exact, and so do the first n
    images of a split.
    """
    rng = np.random.default_rng(0)
    order = rng.permutation(len(labels))
    rank = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    dealt = np.lexsort((labels, rank))
    parts = np.split(dealt, [test, test + validation])
    first, second, rest = (Split(images[part], labels[part]) for part in parts)
    return rest, first, second


def proportional_split(labels: np.ndarray, test: int, validation: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which images are train, test and validation: each split has its share of every class, of rare ones too.

    `labels` int64 (N,) are those of images in an order that says nothing of them, such as by hash: it decides, so that
    the same images come out alike everywhere. The first n images of a split have their shares of the classes as well.
    """
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    dealt = np.lexsort((labels, place))
    first, second, rest = np.split(dealt, [test, test + validation])
    return rest, first, second
