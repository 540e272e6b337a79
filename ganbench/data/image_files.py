"""Folders of PNG, JPEG, WebP and BMP files, nested or not: what lies in one, and what a file is as an image.

``folder:`` data sets and samples of ``ganbench evaluate`` are read by the same rules.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ganbench.errors import RequestError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
CALLED = "PNG, JPEG, WebP or BMP"
IGNORED = ("thumbs.db", "desktop.ini")
"""Files that Windows puts into folders of images; those of other systems are hidden."""
GREY = ("1", "L", "LA")
PALETTE = ("P", "PA")
READ = (*GREY, *PALETTE, "RGB", "RGBA")
TASK = 64
"""Files that a thread takes at a time."""

T = TypeVar("T")
_NUMBER = re.compile("([0-9]+)")


class Picture(NamedTuple):
    """A decoded file: an image of mode L or RGB, and whether it was compressed with loss."""

    image: Image.Image
    lossy: bool


def image_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the images under a folder and the other files, each in natural order; hidden ones are neither.

    Raises `RequestError` where there is no image.
    """
    images, others = list[Path](), list[Path]()
    within = len(folder.parts)  # of the path below the folder alone: that may lie in a hidden one
    for path in sorted(folder.rglob("*"), key=lambda path: _by_number(path.parts[within:])):
        hidden = any(part.startswith(".") for part in path.parts[within:])
        if not hidden and path.name.lower() not in IGNORED and path.is_file():
            (images if path.suffix.lower() in SUFFIXES else others).append(path)
    if not images:
        raise RequestError(f"{folder}: holds no {CALLED} file: name the folder that does")
    return images, others


def natural_key(path: Path) -> tuple[Any, ...]:
    """Return a key that sorts paths part by part, numbers in them by value: 2.png comes before 10.png."""
    return _by_number(path.parts)


def _by_number(parts: tuple[str, ...]) -> tuple[Any, ...]:
    # Text and digits alternate, beginning with text: numbers are compared with numbers alone.
    pieces = [_NUMBER.split(part) for part in parts]
    return [[int(each) if index % 2 else each for index, each in enumerate(some)] for some in pieces], parts


def read_picture(path: Path) -> Picture:
    """Return a file's one picture, turned as its camera says; raise `RequestError` that names the file.

    It is grey where its mode is, and where it has a palette and every pixel is grey: some programs save grey images
    with a palette. A transparent pixel, 16 bits a channel and CMYK are refused.
    """
    image, content = _decode(path)
    lossy = image.format == "JPEG" or (image.format == "WEBP" and not _is_lossless_webp(content))
    if image.mode not in READ:
        raise RequestError(f"{path}: its mode is {image.mode}: save it as 8-bit grey or RGB")
    grey, palette = image.mode in GREY, image.mode in PALETTE
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            raise RequestError(f"{path}: has transparent pixels: lay it over a background")
    wanted = "L" if grey else "RGB"
    if image.mode != wanted:
        image = image.convert(wanted)
    if palette and not has_colour(np.asarray(image)):
        image = image.getchannel(0)
    return Picture(image, lossy)


def has_colour(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether an image (H, W) or (H, W, 3) has a pixel that is not grey."""
    return pixels.ndim == 3 and bool((pixels != pixels[..., :1]).any())


def refuse(bad: Mapping[Path, str], total: int) -> RequestError:
    """Return the error for files that cannot be used: the first of them by name, with what is wrong with it."""
    first = min(bad, key=natural_key)
    return RequestError(f"{bad[first]} (cannot be used: {len(bad):,} of {total:,} files, this is the first)")


def mixture(files: Sequence[Path], grey: Sequence[bool]) -> str:
    """Say that some files are grey and some have colours, and which is the first of the fewer."""
    few = 2 * sum(grey) < len(files)
    odd = next(file for file, each in zip(files, grey, strict=True) if each == few)
    count = sum(each == few for each in grey)
    kinds = ("is grey", "have colours") if few else ("has colours", "are grey")
    return f"{odd}: {kinds[0]}, and {len(files) - count:,} of {len(files):,} images {kinds[1]}"


def in_threads(count: int, read: Callable[[range], T]) -> Iterator[T]:
    """Yield, in order, what `read` returns for each few of `count` places; threads call it meanwhile."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            yield from pool.map(read, (range(start, min(start + TASK, count)) for start in range(0, count, TASK)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _decode(path: Path) -> tuple[Image.Image, bytes]:
    """Return a file's one picture, turned upright, and the file's bytes."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            frames = getattr(image, "n_frames", 1)
            if frames == 1:
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
    except Exception as error:  # decoders let struct's, zlib's and their own errors through
        reason = "no image" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__
        raise RequestError(f"{path}: cannot be read ({reason}): damaged? Save it again or remove it") from error
    if frames > 1:
        raise RequestError(f"{path}: holds {frames} frames: write one image a file")
    return image, content


def _is_lossless_webp(content: bytes) -> bool:
    position = 12  # RIFF, size, WEBP; then chunks of a name, a size and as many bytes, padded to even
    while position + 8 <= len(content):
        name, size = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        position += 8 + size + size % 2
    return False
