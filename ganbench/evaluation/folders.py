"""Folders of PNG, JPEG and WebP files, nested or not, decoded in threads into one array."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ganbench.errors import RequestError
from ganbench.evaluation.arrays import plain

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
FORMATS = ("PNG", "JPEG", "WEBP")
MODES = {"L": 1, "RGB": 3}
TASK = 64
"""Files that a thread takes at a time."""


class _Kind(NamedTuple):
    """What all files of a folder must share."""

    mode: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.mode}"


def image_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the images under a folder, sorted by path, and the other files; hidden ones are neither.

    Raises `RequestError` where there is no image.
    """
    images, others = list[Path](), list[Path]()
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            (images if path.suffix.lower() in SUFFIXES else others).append(path)
    if not images:
        raise RequestError(f"{folder}: holds no PNG, JPEG or WebP file: name the folder that does")
    return images, others


def read_files(files: list[Path], advance: Callable[[int], None] = lambda count: None) -> tuple[NDArray[np.uint8], int]:
    """Return the images of files as uint8 (N, C, H, W), in order, and how many of them were compressed with loss.

    All must be 8 bits a channel, grey or RGB, of one size and mode. `advance` is told of every few that are done.
    Raises `RequestError` naming the first file that cannot be read or that differs from most others.
    """
    kind = _decode(files[0])[0]
    shape = (kind.height, kind.width, MODES[kind.mode])
    pixels = np.empty((len(files), *shape), dtype=np.uint8)
    kinds = list[_Kind | None]([None] * len(files))

    def read(start: int) -> tuple[int, int]:
        chunk, lossy = files[start : start + TASK], 0
        for index, path in enumerate(chunk, start):
            kinds[index], image, with_loss = _decode(path)
            lossy += with_loss
            if kinds[index] == kind:
                pixels[index] = image.reshape(shape)
        return len(chunk), lossy

    lossy = 0
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            for count, with_loss in pool.map(read, range(0, len(files), TASK)):
                lossy += with_loss
                advance(count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
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
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            frames, form, kind = getattr(image, "n_frames", 1), image.format, _Kind(image.mode, *image.size)
            pixels = np.asarray(image) if kind.mode in MODES and frames == 1 else np.empty(0, np.uint8)
    except Exception as error:  # decoders let struct's, zlib's and their own errors through
        reason = "no image" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__
        raise RequestError(f"{path}: cannot be read ({reason}): damaged? Write it again, or take it away") from error
    if frames > 1:
        raise RequestError(f"{path}: holds {frames} frames: write one image a file")
    if kind.mode not in MODES:
        raise RequestError(f"{path}: its mode is {kind.mode}: save images as 8-bit grey (L) or RGB, without alpha")
    return kind, pixels, form == "JPEG" or (form == "WEBP" and not _is_lossless_webp(content))


def _is_lossless_webp(content: bytes) -> bool:
    position = 12  # RIFF, size, WEBP; then chunks of a name, a size and as many bytes, padded to even
    while position + 8 <= len(content):
        name, size = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        position += 8 + size + size % 2
    return False
