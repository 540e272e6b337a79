"""Any folder of images as a data set, named ``folder:PATH`` or ``folder:PATH?size=64&channels=3``.

Sub-folders are classes. Images are cropped to the square in their middle, resized once, and cached. What decides
everything after that are the pixels: the same images in another place, under other names, are the same data set.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from ganbench.data.dataset import Dataset, DataSource, Split, data_root, make_dataset, proportional_split
from ganbench.data.image_files import CALLED, has_colour, image_files, in_threads, mixture, read_picture, refuse
from ganbench.errors import RequestError
from ganbench.util.atomic_io import atomic_write
from ganbench.util.cache import cache_folder

PREFIX = "folder"
SIDE = 32
SIDES = (8, 512)
LEAST = 100
LEAST_OF_CLASS = 5
"""With fewer a class would be missing from a split."""
RULE = 2
"""Raise when the same files give other arrays: what was cached is then made again."""
CHANNELS = (1, 3)


class Pictures(NamedTuple):
    """Images uint8 (N, C, S, S) ordered by hash, no two of them equal, labels int64 (N,), and the classes' names.

    Without classes all labels are 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


class _Form(NamedTuple):
    """What images are made: squares of so many pixels, of one or three channels; None leaves that to the files."""

    side: int
    channels: int | None


def folder_source(name: str) -> DataSource:
    """Return the data set called ``folder:PATH?size=SIDE&channels=C``; the folder is looked at by `load`.

    What follows the question mark may be left out. Raises `RequestError` where the name cannot be read.
    """
    path, question, options = name.partition(":")[2].rpartition("?")
    form = _Form(SIDE, None)
    if not question or "=" not in options:  # a folder's name may have a question mark
        path = name.partition(":")[2]
    else:
        form = _form(name, options)
    if not path:
        raise RequestError(f"data set {name!r}: names no folder: write folder:PATH, or folder:PATH?size={SIDE}")
    return DataSource(name, partial(load_folder, name, path, form), f"the images under {path}")


def _form(name: str, options: str) -> _Form:
    """Read ``size=64&channels=3``, in any order."""
    found = dict[str, int]()
    for option in options.split("&"):
        key, _, value = option.partition("=")
        number = int(value) if value.isascii() and value.isdecimal() and len(value) <= 4 else 0
        fits = {"size": SIDES[0] <= number <= SIDES[1], "channels": number in CHANNELS}
        if not fits.get(key, False) or key in found:
            raise RequestError(
                f"data set {name!r}: cannot read {option!r}: write ?size= and {SIDES[0]} to {SIDES[1]}, ?channels= "
                "and 1 or 3, or both with & between them"
            )
        found[key] = number
    return _Form(found.get("size", SIDE), found.get("channels"))


def load_folder(name: str, path: str, form: _Form, data_dir: Path | None) -> Dataset:
    """Load a folder's images, uint8 (N, C, S, S): three fifths to train, one to test, one to validate.

    A relative `path` is looked for under `data_dir` (default ``GANBENCH_DATA``) and then under the working folder.
    Images are grey where all files are, and RGB where all are; where some are grey and others have colours, `form` has
    to say which is meant. Each split has its share of every class. Images that come out equal, pixel by pixel, count
    once: none can be trained on and be the reference too. A single sub-folder makes no class. Raises `RequestError`, in
    one line, for a file that cannot be read, images beside sub-folders of images, grey images among others, fewer than
    100 images, or a class of fewer than 5.
    """
    try:
        given = Path(path).expanduser()
        folder = next((each for each in (data_root(data_dir) / given, given) if each.is_dir()), None)
        if folder is None:
            raise RequestError(
                f"data set {name!r}: {given}: there is no such folder (a relative one may lie under --data-dir too)"
            )
        found = _pictures(folder.resolve(), form)
    except (OSError, ValueError, RuntimeError) as error:  # no permission, a null byte, no home for ~
        raise RequestError(f"data set {name!r}: cannot be read ({error})") from error
    share = len(found.labels) // 5
    train, test, validation = (
        Split(found.images[chosen], found.labels[chosen] if found.classes else None)
        for chosen in proportional_split(found.labels, share, share)
    )
    return make_dataset(name, train, test, validation, len(found.classes), class_names=found.classes)


def _pictures(folder: Path, form: _Form) -> Pictures:
    """Return a folder's images from the cache, or read them; an entry is good until a file's status changes."""
    files, others = image_files(folder)
    digest = hashlib.sha256(f"{RULE} {PIL.__version__}\n".encode())
    for file in (*files, *others):
        status = file.stat()  # the time of change too: a copy may keep the time of modification
        line = f"{file.relative_to(folder)}\0{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    # Files of two folders may agree in name, size and time: what is cached is of one place.
    place = hashlib.sha256(f"{folder}?{form.side}&{form.channels}".encode(errors="surrogateescape")).hexdigest()[:24]
    cached = cache_folder("folders") / f"{place}-{digest.hexdigest()[:24]}.npz"
    try:
        with np.load(cached, allow_pickle=False) as stored:
            return Pictures(stored["images"], stored["labels"], tuple(stored["classes"].tolist()))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not there yet, or damaged
        pass
    found = _read(folder, files, others, form)
    with contextlib.suppress(OSError):  # a full disk costs time, not the run
        names = np.array(found.classes, dtype=np.str_)
        atomic_write(cached, lambda out: np.savez(out, images=found.images, labels=found.labels, classes=names))
        for old in cached.parent.glob(f"{place}-*.npz"):
            if old != cached:
                old.unlink(missing_ok=True)
    return found


def _read(folder: Path, files: list[Path], others: list[Path], form: _Form) -> Pictures:
    names, labels = _classes(folder, files)
    bad = {path: f"{path}: is not a {CALLED} file: remove it" for path in others}
    pictures = list[NDArray[np.uint8]]()

    def read(places: range) -> list[NDArray[np.uint8] | str]:
        return [_square(files[index], form) for index in places]

    for index, picture in enumerate(each for some in in_threads(len(files), read) for each in some):
        if isinstance(picture, str):
            bad[files[index]] = picture
        else:
            pictures.append(picture)
    if bad:
        raise refuse(bad, len(files) + len(others))
    pictures = _alike(files, pictures)
    hashes = [hashlib.sha256(np.ascontiguousarray(picture).data).digest() for picture in pictures]
    first = dict[bytes, int]()  # which image has a hash, the one of the lowest class where there are several
    for index in sorted(range(len(files)), key=lambda index: (hashes[index], labels[index])):
        first.setdefault(hashes[index], index)
    chosen = list(first.values())
    kept = labels[chosen]
    if len(chosen) < LEAST:
        raise RequestError(f"{folder}: holds {len(chosen)} different images: at least {LEAST} are needed")
    for label, name in enumerate(names):
        if (count := int((kept == label).sum())) < LEAST_OF_CLASS:
            raise RequestError(
                f"{folder / name}: class {name!r} has {count} different images: at least {LEAST_OF_CLASS} are needed"
            )
    stack = np.stack([pictures[index] for index in chosen])
    images = stack.transpose(0, 3, 1, 2) if stack.ndim == 4 else stack[:, None]
    return Pictures(np.ascontiguousarray(images), kept, tuple(names))


def _alike(files: list[Path], pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Return images of one kind; what was saved as RGB among grey files is grey where its pixels are."""
    if len({picture.ndim for picture in pictures}) == 1:
        return pictures
    grey = [not has_colour(picture) for picture in pictures]
    if not all(grey):
        raise RequestError(
            f"{mixture(files, grey)}: save all alike, or write folder:PATH?channels=1 or folder:PATH?channels=3"
        )
    return [picture if picture.ndim == 2 else picture[..., 0] for picture in pictures]


def _classes(folder: Path, files: list[Path]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the classes' names, none where images lie in fewer than two sub-folders, and each file's class.

    Names that are all numbers are sorted as such, so that 0, 1, ..., 10 are their own classes.
    """
    parts = [file.relative_to(folder).parts for file in files]
    beside = sum(len(each) == 1 for each in parts)
    if 0 < beside < len(files):
        raise RequestError(
            f"{folder}: {beside:,} images lie beside sub-folders, which hold {len(files) - beside:,}: "
            "put every image into the sub-folder of its class, or all into one folder"
        )
    found = {each[0] for each in parts} if not beside else set[str]()
    if len(found) < 2:
        return [], np.zeros(len(files), dtype=np.int64)
    numbers = all(name.isascii() and name.isdecimal() for name in found)
    names = sorted(found, key=lambda name: (int(name) if numbers else 0, name))
    number = {name: label for label, name in enumerate(names)}
    return names, np.array([number[each[0]] for each in parts], dtype=np.int64)


def _square(path: Path, form: _Form) -> NDArray[np.uint8] | str:
    """Return a file's picture as uint8 (side, side) where it is grey, else (side, side, 3); or what is wrong."""
    try:
        image = read_picture(path).image
    except RequestError as error:
        return str(error)
    if form.channels is not None:
        image = image.convert("L" if form.channels == 1 else "RGB")
    width, height = image.size
    length = min(width, height)
    left, top = (width - length) // 2, (height - length) // 2
    image = image.crop((left, top, left + length, top + length))
    if length != form.side:
        image = image.resize((form.side, form.side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _unnamed(data_dir: Path | None) -> Dataset:
    raise RequestError(f"data set {PREFIX!r}: names no folder: write folder:PATH, or folder:PATH?size={SIDE}")


FOLDER = DataSource(
    PREFIX, _unnamed, f"folder:PATH?size={SIDE}: any folder of images; its sub-folders are classes", at=folder_source
)
