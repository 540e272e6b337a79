"""``.npy`` and ``.npz`` files of images or labels; nothing is ever unpickled."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ganbench.errors import RequestError

SUFFIXES = (".npy", ".npz")
IMAGES = ("images", "samples", "arr_0", "x")
LABELS = ("labels", "y", "arr_1")
MAGIC = {".npy": b"\x93NUMPY", ".npz": b"PK"}


def read_array_file(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None, str]:
    """Return the images of a file, its labels or None, and the images' name (empty for ``.npy``).

    In an ``.npz`` the images are the array called images, samples, arr_0 or x, or the only one; labels are called
    labels, y or arr_1 (one dimension). Raises `RequestError` for a file that is damaged, pickled or of another kind.
    """
    with _opened(path) as stream:
        if path.suffix.lower() == ".npy":
            return np.load(stream, allow_pickle=False), None, ""
        with np.load(stream, allow_pickle=False) as archive:
            name = _images_in(path, archive.files)
            images = _array(archive, name)
            for label_name in LABELS:
                if label_name in archive.files and label_name != name:
                    labels = _array(archive, label_name)
                    if labels.ndim == 1:
                        return images, labels, name
            return images, None, name


def read_labels(path: Path) -> NDArray[Any]:
    """Return the array of a ``.npy`` file of labels."""
    if path.suffix.lower() != ".npy":
        raise RequestError(f"--labels {path}: give a .npy file of one class number an image, or the word folders")
    with _opened(path) as stream:
        labels: NDArray[Any] = np.load(stream, allow_pickle=False)
        return labels


def _array(archive: Any, name: str) -> NDArray[Any]:
    """Return an array of an open ``.npz``; NumPy gives the bytes of what is none."""
    found: NDArray[Any] | bytes = archive[name]
    if isinstance(found, bytes):
        raise ValueError(f"{name} is not an array")
    return found


def _images_in(path: Path, names: list[str]) -> str:
    known = [name for name in IMAGES if name in names]
    if len(known) > 1:
        raise RequestError(f"{path}: holds {' and '.join(known)}: which are the images? Keep one of them")
    others = [name for name in names if name not in LABELS]
    if known or len(others) == 1:
        return (known or others)[0]
    found = ", ".join(names) or "nothing"
    raise RequestError(f"{path}: holds {found}: name the array of images {', '.join(IMAGES[:-1])} or {IMAGES[-1]}")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, and turn whatever NumPy raises into one line."""
    try:
        with open(path, "rb") as stream:
            magic = MAGIC[path.suffix.lower()]
            if stream.read(len(magic)) != magic:
                raise RequestError(f"{path}: is not a {path.suffix} file, or is damaged: save it again with NumPy")
            stream.seek(0)
            yield stream
    except FileNotFoundError as error:
        raise RequestError(f"{path}: there is no such file") from error
    except (OSError, EOFError, ValueError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "allow_pickle" in reason:
            raise RequestError(f"{path}: holds pickled objects, which are never loaded: save plain arrays") from error
        raise RequestError(f"{path}: cannot be read ({reason}): damaged or cut off? Save it again") from error
