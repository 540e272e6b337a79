"""Folders of PNG, JPEG, WebP and BMP files, nested or not: what lies in one, and each file decoded, in threads."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from ganbench.errors import RequestError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
CALLED = "PNG, JPEG, WebP or BMP"
TASK = 64
"""Files that a thread takes at a time."""

T = TypeVar("T")


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
        raise RequestError(f"{folder}: holds no {CALLED} file: name the folder that does")
    return images, others


def decode(path: Path) -> tuple[Image.Image, bytes]:
    """Return a file's one picture, decoded, and the file's bytes; raise `RequestError` that names the file."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            frames = getattr(image, "n_frames", 1)
            if frames == 1:
                image.load()
    except Exception as error:  # decoders let struct's, zlib's and their own errors through
        reason = "no image" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__
        raise RequestError(f"{path}: cannot be read ({reason}): damaged? Write it again, or take it away") from error
    if frames > 1:
        raise RequestError(f"{path}: holds {frames} frames: write one image a file")
    return image, content


def in_threads(count: int, read: Callable[[range], T]) -> Iterator[T]:
    """Yield, in order, what `read` returns for each few of `count` places; threads call it meanwhile."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            yield from pool.map(read, (range(start, min(start + TASK, count)) for start in range(0, count, TASK)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
