"""Image files of one size, read into one array, and the class numbers that their folders name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganbench.data.image_files import has_colour, in_threads, mixture, read_picture, refuse
from ganbench.errors import RequestError, did_you_mean
from ganbench.scoring.external.array_layout import plain


class FolderImages(NamedTuple):
    """Images uint8 (N, C, H, W), how many files were compressed with loss, and what is to be said of grey ones.

    `mixture` is empty where no file is grey or none has colours.
    """

    pixels: NDArray[np.uint8]
    lossy: int
    mixture: str


def read_files(files: list[Path], advance: Callable[[int], None] = lambda count: None) -> FolderImages:
    """Read files of one size, in order, by the rules of `ganbench.data.image_files.read_picture`.

    Images are grey where all files are, else RGB: where only some have colours, grey ones get three equal channels.
    `advance` is told of every few that are done. Raises `RequestError` naming the first file that cannot be read, or
    the first whose size is not that of most.
    """
    sizes, grey = list[tuple[int, ...]](), np.zeros(len(files), dtype=bool)
    bad, lossy = dict[Path, str](), 0
    pixels: NDArray[np.uint8] | None = None

    def read(places: range) -> list[tuple[NDArray[np.uint8], bool] | str]:
        return [_read(files[index]) for index in places]

    for some in in_threads(len(files), read):
        for found in some:
            index = len(sizes)
            if isinstance(found, str):
                bad[files[index]] = found
                sizes.append(())
                continue
            image, with_loss = found
            lossy += with_loss
            sizes.append(image.shape[:2])
            grey[index] = image.ndim == 2
            if pixels is None:
                pixels = np.empty((len(files), *image.shape), dtype=np.uint8)
            if image.shape[:2] == pixels.shape[1:3]:
                pixels = _stored(pixels, index, image)
        advance(len(some))
    if bad:
        raise refuse(bad, len(files))
    _check_sizes(files, sizes)
    assert pixels is not None
    text = ""
    if grey.any() and not grey.all():
        grey = np.array([each or not has_colour(image) for each, image in zip(grey, pixels, strict=True)])
        text = "" if grey.all() else mixture(files, grey.tolist())
        pixels = pixels[..., 0] if grey.all() else pixels
    return FolderImages(plain(pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)), lossy, text)


def _read(path: Path) -> tuple[NDArray[np.uint8], bool] | str:
    """Return an image, (H, W) or (H, W, 3), and whether it was compressed with loss; or what is wrong with it."""
    try:
        image, lossy = read_picture(path)
    except RequestError as error:
        return str(error)
    return np.asarray(image), lossy


def _stored(pixels: NDArray[np.uint8], index: int, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put an image into its place; grey images become RGB ones when the first RGB image comes."""
    if pixels.ndim < image.ndim + 1:
        pixels = np.repeat(pixels[..., None], 3, axis=3)
    pixels[index] = image if pixels.ndim == image.ndim + 1 else image[..., None]
    return pixels


def _check_sizes(files: list[Path], sizes: list[tuple[int, ...]]) -> None:
    usual, most = Counter(sizes).most_common(1)[0]
    if most < len(files):
        odd = next(index for index, each in enumerate(sizes) if each != usual)
        found, wanted = ("x".join(map(str, reversed(each))) for each in (sizes[odd], usual))
        raise RequestError(f"{files[odd]}: is {found}, {most} of {len(files)} are {wanted}: all must be of one size")


def folder_labels(folder: Path, files: list[Path], class_names: tuple[str, ...] = ()) -> NDArray[np.int64]:
    """Return the class number of each file, from the sub-folder of `folder` that it lies in.

    The sub-folder's name is one of `class_names`, whose place is the number; without them it is the number itself.
    """
    number = {name: label for label, name in enumerate(class_names)}
    labels = []
    for path in files:
        *parents, _ = path.relative_to(folder).parts
        name = parents[0] if parents else ""
        if class_names and name not in number:
            where = f"lies in {name!r}, which is not a class" if name else "lies in no sub-folder named by a class"
            raise RequestError(f"{path}: {where} of the reference{did_you_mean(name, class_names)}")
        if not class_names and not (name.isascii() and name.isdecimal()):
            raise RequestError(f"{path}: lies in no sub-folder named by a class number: name them 0, 1, 2, ...")
        labels.append(number[name] if class_names else int(name))
    return np.array(labels, dtype=np.int64)
