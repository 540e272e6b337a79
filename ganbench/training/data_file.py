"""The file that a training worker is given: training images and labels, and nothing else of the data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from ganbench.data.dataset import Dataset, Split, content_hash
from ganbench.errors import RequestError
from ganbench.util.atomic_io import write_bytes
from ganbench.util.cache import cache_folder


def write_training_data(dataset: Dataset) -> Path:
    """Write the training split of a data set into the cache, once, and return the file."""
    path = cache_folder("training_data") / f"{dataset.train_sha256}.safetensors"
    if not path.exists():
        arrays = {"images": np.ascontiguousarray(dataset.train.images)}
        if dataset.train.labels is not None:
            arrays["labels"] = np.ascontiguousarray(dataset.train.labels, dtype=np.int64)
        write_bytes(path, save(arrays))
    return path


def read_training_data(path: Path, sha256: str) -> Split:
    """Return the training split in a file; raise `RequestError` where it is not the one of this hash."""
    try:
        arrays = load_file(path)
        split = Split(arrays["images"], arrays.get("labels"))
    except (OSError, SafetensorError, KeyError) as error:
        raise RequestError(f"training data {path}: cannot be read ({error}): run the command again") from error
    if content_hash(split) != sha256:
        path.unlink(missing_ok=True)  # the next command writes it anew
        raise RequestError(f"training data {path}: damaged (its sha256 is not {sha256[:12]}): run the command again")
    return split
