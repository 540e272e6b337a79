"""MNIST, grey or in black and white, and Fashion-MNIST: found under a folder, or downloaded by torchvision into it."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from ganbench.data.binarize import binarise
from ganbench.data.dataset import Dataset, DataSource, Split, data_root, make_dataset
from ganbench.errors import RequestError

FILES = {
    "MNIST": {
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    "FashionMNIST": {
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
}


def load_idx(name: str, folder: str, data_dir: Path | None) -> Dataset:
    """Load 50,000 training, 10,000 test and 10,000 validation images (the last of the training file).

    Parameters: the data set's name, torchvision's class and folder (``MNIST`` or ``FashionMNIST``), and
    the root under which it lies or goes (default ``GANBENCH_DATA``, else the cache folder).
    Raises `RequestError` naming the file where one is damaged or cannot be had.
    """
    return _divided(name, *official_splits(name, folder, data_dir))


def load_binary(data_dir: Path | None) -> Dataset:
    """Load MNIST in black and white: each pixel's brightness was its chance to be white, drawn once and for all."""
    train, test = official_splits("mnist-binary", "MNIST", data_dir)
    return _divided(
        "mnist-binary",
        Split(binarise(train.images, seed=0), train.labels),
        Split(binarise(test.images, seed=1), test.labels),
    )


def _divided(name: str, train: Split, test: Split) -> Dataset:
    return make_dataset(
        name,
        Split(train.images[:50000], train.labels[:50000]),  # type: ignore[index]
        test,
        Split(train.images[50000:], train.labels[50000:]),  # type: ignore[index]
        classes=10,
    )


def official_splits(name: str, folder: str, data_dir: Path | None) -> tuple[Split, Split]:
    """Return the published 60,000 training and 10,000 test images, each file checked by its hash."""
    root = data_root(data_dir)
    raw = root / folder / "raw"
    if not all((raw / file).exists() for file in FILES[folder]):
        try:
            _download(folder, root)
        except Exception as error:  # torchvision lets urllib's, ssl's and its own errors through
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise RequestError(
                f"data set {name!r}: not found under {root} and the download failed ({reason}): "
                f"put its files into {raw}, or point --data-dir or GANBENCH_DATA at them"
            ) from error
    found = {}
    for file, expected in FILES[folder].items():
        try:
            content = (raw / file).read_bytes()
        except OSError as error:
            raise RequestError(f"data set {name!r}: {raw / file}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(content).hexdigest() != expected:
            raise RequestError(f"data set {name!r}: {raw / file} is damaged: delete it and fetch it again")
        found[file] = np.frombuffer(content, np.uint8)
    train, test = (
        Split(
            found[f"{part}-images-idx3-ubyte"][16:].reshape(-1, 1, 28, 28).copy(),  # 16 and 8 bytes say the shape
            found[f"{part}-labels-idx1-ubyte"][8:].astype(np.int64),
        )
        for part in ("train", "t10k")
    )
    return train, test


def _download(folder: str, root: Path) -> None:
    """Fetch the files with torchvision, without its constructor.

    That would rather read a `processed` folder, which older versions of it left, than fetch and read what has a hash.
    """
    import torchvision.datasets

    kind = getattr(torchvision.datasets, folder)
    fetcher = kind.__new__(kind)
    fetcher.root = root
    fetcher.download()


MNIST = DataSource(
    "mnist",
    partial(load_idx, "mnist", "MNIST"),
    "70,000 handwritten digits, 28x28 grey, downloaded",
    "3715e045b9e28453902f42ec6c9af96135fca9799d812cb33e009e72e814ee0c",
)
MNIST_BINARY = DataSource(
    "mnist-binary",
    load_binary,
    "MNIST in black and white, drawn once by brightness (a draw of its own, not Larochelle's file), downloaded",
    "8c67046e39cc3577d83b6b071bd4f54ccc8094664c65a702f132815d65158f69",
)
FASHION_MNIST = DataSource(
    "fashion-mnist",
    partial(load_idx, "fashion-mnist", "FashionMNIST"),
    "70,000 articles of clothing, 28x28 grey, downloaded",
    "9d9744a12f60266acb81266355c9ed7b43751da8d21c58bf3fae194618400528",
)
