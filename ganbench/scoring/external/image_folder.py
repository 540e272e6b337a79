"""Image files that must be alike, read into one array, and the class numbers that their folders name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganbench.data.image_files import decode, in_threads
from ganbench.errors import RequestError
from ganbench.scoring.external.array_layout import plain

MODES = {"L": 1, "RGB": 3}


class _Kind(NamedTuple):
    """What all files of a folder must share."""

    mode: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.mode}"


def read_files(files: list[Path], advance: Callable[[int], None] = lambda count: None) -> tuple[NDArray[np.uint8], int]:
    """Return the images of files as uint8 (N, C, H, W), in order, and how many of them were compressed with loss.

    All must be 8 bits a channel, grey or RGB, of one size and mode. `advance` is told of every few that are done.
    Raises `RequestError` naming the first file that cannot be read or that differs from most others.
    """
    kind = _decode(files[0])[0]
    shape = (kind.height, kind.width, MODES[kind.mode])
    pixels = np.empty((len(files), *shape), dtype=np.uint8)
    kinds = list[_Kind | None]([None] * len(files))

    def read(places: range) -> tuple[int, int]:
        lossy = 0
        for index in places:
            kinds[index], image, with_loss = _decode(files[index])
            lossy += with_loss
            if kinds[index] == kind:
                pixels[index] = image.reshape(shape)
        return len(places), lossy

    lossy = 0
    for count, with_loss in in_threads(len(files), read):
        lossy += with_loss
        advance(count)
    usual, most = Counter(kinds).most_common(1)[0]
    if most < len(files):
        odd = next(index for index, each in enumerate(kinds) if each != usual)
        raise RequestError(f"{files[odd]}: is {kinds[odd]}, {most} of {len(files)} are {usual}: all must be alike")
    return plain(pixels.transpose(0, 3, 1, 2)), lossy


def folder_labels(folder: Path, files: list[Path]) -> NDArray[np.int64]:
    """Return the class number of each file: the name of the sub-folder of `folder` that it lies in."""
    labels = []
    for path in files:
        *parents, _ = path.relative_to(folder).parts
        if not parents or not parents[0].isdecimal():
            raise RequestError(f"{path}: lies in no sub-folder named by a class number: name them 0, 1, 2, ...")
        labels.append(int(parents[0]))
    return np.array(labels, dtype=np.int64)


def _decode(path: Path) -> tuple[_Kind, NDArray[np.uint8], bool]:
    image, content = decode(path)
    kind = _Kind(image.mode, *image.size)
    if kind.mode not in MODES:
        raise RequestError(f"{path}: its mode is {kind.mode}: save images as 8-bit grey (L) or RGB, without alpha")
    lossy = image.format == "JPEG" or (image.format == "WEBP" and not _is_lossless_webp(content))
    return kind, np.asarray(image), lossy


def _is_lossless_webp(content: bytes) -> bool:
    position = 12  # RIFF, size, WEBP; then chunks of a name, a size and as many bytes, padded to even
    while position + 8 <= len(content):
        name, size = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        position += 8 + size + size % 2
    return False
