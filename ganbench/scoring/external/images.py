"""Samples made anywhere, read into one form: a folder, an ``.npy`` or ``.npz`` file, an array or a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganbench.data.dataset import Split, content_hash
from ganbench.data.image_files import CALLED, image_files
from ganbench.errors import RequestError
from ganbench.scoring.external.array_files import SUFFIXES, read_array_file, read_labels
from ganbench.scoring.external.array_layout import as_uint8
from ganbench.scoring.external.image_folder import folder_labels, read_files

FOLDERS = "folders"
"""As `labels`: the names of sub-folders are the classes."""


@dataclass(frozen=True)
class Images:
    """Images, their labels, int64 (n,) or None, and where they came from.

    `pixels` are uint8 (n, C, H, W), or the coordinates of points, float32 (n, D). `available` counts those there were
    before n were chosen; `notes` are sentences that a reader must see.
    """

    name: str
    kind: str
    pixels: NDArray[Any]
    labels: NDArray[np.int64] | None
    available: int
    reading: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W), or (D,) for points."""
        return tuple(self.pixels.shape[1:])

    @property
    def sha256(self) -> str:
        """The hash of shape and pixels, wherever they came from."""
        return content_hash(Split(self.pixels, None))


def read_images(
    source: Any,
    *,
    labels: Any = None,
    n: int | None = None,
    layout: str | None = None,
    value_range: str | None = None,
    class_names: tuple[str, ...] = (),
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Images:
    """Read images from a path, a NumPy array or a tensor.

    `labels` is an array, the path of a ``.npy`` file, or ``folders``; None takes those of an ``.npz`` that has some.
    Files of a folder are taken in natural order, numbers in their names by value, and so are their labels; sub-folders
    are named by `class_names`, or by class numbers where these are empty.
    `n` takes that many at random, the same ones every time; None takes all. `layout` and `value_range` as in
    `as_uint8`. `watch` is told how many files are decoded, and of how many.
    Raises `RequestError`, in one line that names the source, where they cannot be read.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            return _from_folder(path, labels, n, class_names, watch)
        if not path.exists():
            raise RequestError(f"{path}: there is no such file or folder")
        if path.suffix.lower() not in SUFFIXES:
            raise RequestError(f"{path}: give a folder of images, a .npy or .npz file, or the folder of a run")
        array, found, inside = read_array_file(path)
        name, kind, reading = str(path), path.suffix.lower()[1:], {"array": inside} if inside else {}
    else:
        array, found, name, kind, reading = as_numpy(source), None, "array", "array", {}
    if _is_folders(labels):
        raise RequestError(f"{name}: --labels folders needs a folder of images: give the labels as a .npy file")
    pixels, how = as_uint8(array, name, layout=layout, value_range=value_range)
    found = found if labels is None else given(labels)
    chosen = choose(len(pixels), n, name)
    return Images(
        name, kind, pixels if n is None else pixels[chosen], taken(found, chosen, len(pixels), name),
        len(pixels), reading | how,
    )  # fmt: skip


def choose(count: int, n: int | None, name: str) -> NDArray[np.intp]:
    """Return which n of `count` images are taken, in order: drawn once, as folders often lie sorted by class."""
    if n is None:
        return np.arange(count)
    if not 1 <= n <= count:
        raise RequestError(f"{name}: --samples {n}: there are {count} images: take 1 to {count}")
    # RandomState: its stream is the same in every version of NumPy.
    return np.sort(np.random.RandomState(0).permutation(count)[:n])


def _from_folder(
    folder: Path, labels: Any, n: int | None, class_names: tuple[str, ...], watch: Callable[[int, int], None]
) -> Images:
    files, others = image_files(folder)
    chosen = choose(len(files), n, str(folder))
    read, done = [files[index] for index in chosen], 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        watch(done, len(read))

    notes = []
    if _is_folders(labels):
        found: NDArray[Any] | None = folder_labels(folder, files, class_names)
    elif labels is None:
        found = None
    else:
        found = given(labels)
        if (by_letter := sorted(files)) != files:
            ahead, behind = next(pair for pair in zip(files, by_letter, strict=True) if pair[0] != pair[1])
            notes.append(
                f"{folder}: files are sorted by the numbers in their names, {ahead.name} before {behind.name}, and "
                "labels are taken to be in this order"
            )
    pixels, lossy, mixture = read_files(read, advance)
    if mixture:
        notes.append(f"{mixture}: grey ones were read as RGB")
    if others:
        notes.append(f"{folder}: {len(others)} files are not {CALLED} and were left out, such as {others[0]}")
    if lossy:
        notes.append(
            f"{folder}: {lossy} of {len(read)} files are compressed with loss, which changes every score: save PNG"
        )
    return Images(
        str(folder), "folder", pixels, taken(found, chosen, len(files), str(folder)), len(files),
        {"layout": "nhwc", "range": "0-255"} | ({"mixture": mixture} if mixture else {}), tuple(notes),
    )  # fmt: skip


def as_numpy(source: Any) -> NDArray[Any]:
    """Return an array or a tensor as an array; a `RequestError` for what is neither."""
    if isinstance(source, torch.Tensor):
        tensor = source.detach().cpu()
        return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()  # NumPy has no bfloat16
    if isinstance(source, np.ndarray):
        return source
    raise RequestError(f"samples: {type(source).__name__}: give a path, a NumPy array or a tensor")


def _is_folders(labels: Any) -> bool:
    return isinstance(labels, str) and labels == FOLDERS


def given(labels: Any) -> NDArray[Any]:
    """Return labels that were asked for as an array or by the path of a file."""
    if isinstance(labels, str | Path):
        return read_labels(Path(labels))
    return np.asarray(labels) if isinstance(labels, list | tuple) else as_numpy(labels)


def taken(labels: NDArray[Any] | None, chosen: NDArray[np.intp], count: int, name: str) -> NDArray[np.int64] | None:
    """Return the labels of the chosen ones; a `RequestError` where they are not one integer for each of `count`."""
    if labels is None:
        return None
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != (count,):
        raise RequestError(
            f"{name}: labels are {labels.dtype} of shape {labels.shape}: give {count} class numbers, one an image"
        )
    return labels.astype(np.int64)[chosen]
