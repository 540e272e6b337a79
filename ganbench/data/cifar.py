"""CIFAR-10 from its authors' binary version, which holds no pickle: found under a folder, or downloaded into it."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ganbench.data.dataset import Dataset, DataSource, Split, data_root, make_dataset
from ganbench.errors import RequestError
from ganbench.util.atomic_io import atomic_write

FOLDER = "cifar-10-batches-bin"
ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
"""As published on https://www.cs.toronto.edu/~kriz/cifar.html."""

FILES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""SHA-256 of each file; the last is the published test set."""

SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
"""Bytes of an image: its label, then red, green and blue, each row by row."""
MOST = 10_000 * RECORD
"""Bytes of a file."""

CLASSES = 10
CHUNK = 1 << 20
PATIENCE = 60
"""Seconds that the server may be silent."""


def load_cifar10(data_dir: Path | None = None) -> Dataset:
    """Load 40,000 training, 10,000 test and 10,000 validation images (the last of the training files).

    They lie under `data_dir` (default ``GANBENCH_DATA``, else the cache folder), as ``cifar-10-batches-bin/`` or as
    the archive that it comes in; where neither does, the archive is downloaded there.
    Raises `RequestError` naming the file where one is damaged or cannot be had.
    """
    root = data_root(data_dir)
    *training, test = (parse(_checked(root, file), str(root / FOLDER / file)) for file in _present(root))
    *train, validation = training
    return make_dataset(
        "cifar10",
        Split(
            np.concatenate([part.images for part in train]),
            np.concatenate([part.labels for part in train if part.labels is not None]),
        ),
        test, validation, classes=CLASSES,
    )  # fmt: skip


def parse(content: bytes, name: str) -> Split:
    """Return the images, uint8 (N, 3, 32, 32), and labels, int64 (N,), of one file of the binary version.

    Raises `RequestError` naming `name` where these are no whole records, or a label is not a class.
    """
    if not content or len(content) % RECORD:
        raise RequestError(f"{name}: {len(content):,} bytes are not whole images of {RECORD:,} bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        raise RequestError(f"{name}: label {labels.max()}: there are {CLASSES} classes")
    return Split(records[:, 1:].reshape(-1, *SHAPE).copy(), labels)


def _present(root: Path) -> list[str]:
    """Return the names of the files once all lie there: found, unpacked, or downloaded and unpacked."""
    missing = [file for file in FILES if not (root / FOLDER / file).exists()]
    if missing:
        archive = root / ARCHIVE
        if not archive.exists():
            try:
                atomic_write(archive, _download)
            except (OSError, HTTPException, ValueError) as error:  # urllib's own errors are OSErrors
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise RequestError(
                    f"data set 'cifar10': {missing[0]} is not under {root / FOLDER} and the download failed "
                    f"({reason}): put {URL} into {root}, or point --data-dir or GANBENCH_DATA at its files"
                ) from error
        _unpack(archive, root, missing)
    return list(FILES)


def _checked(root: Path, file: str) -> bytes:
    path = root / FOLDER / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(f"data set 'cifar10': {path}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != FILES[file]:
        raise RequestError(f"data set 'cifar10': {path} is damaged: delete it, and it is fetched again")
    return content


def _unpack(archive: Path, root: Path, wanted: list[str]) -> None:
    """Write the wanted files, and nothing else, out of the archive: paths that it names are never followed."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            inside = {Path(member.name).name: member for member in tar.getmembers() if member.isfile()}
            for file in wanted:
                stream = tar.extractfile(inside[file]) if file in inside else None
                content = b"" if stream is None else stream.read(MOST)
                if hashlib.sha256(content).hexdigest() != FILES[file]:
                    raise RequestError(
                        f"data set 'cifar10': {archive}: {file} in it is damaged or missing: delete the archive, and "
                        "it is fetched again"
                    )
                atomic_write(root / FOLDER / file, lambda target, content=content: target.write(content))  # type: ignore[misc]
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RequestError(
            f"data set 'cifar10': {archive} is damaged ({error}): delete it, and it is fetched again"
        ) from error
    except OSError as error:
        raise RequestError(
            f"data set 'cifar10': {archive} cannot be unpacked into {root / FOLDER} ({error.strerror or error}): "
            "unpack it yourself, and point --data-dir at the folder that holds it"
        ) from error


def _download(target: BinaryIO) -> None:
    """Fetch the archive; raise `ValueError` where what came is not the published one."""
    digest = hashlib.md5(usedforsecurity=False)  # the published sum; each file's SHA-256 is checked as well
    with urllib.request.urlopen(URL, timeout=PATIENCE) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != ARCHIVE_MD5:
        raise ValueError("what came is not the published archive")


CIFAR10 = DataSource(
    "cifar10",
    load_cifar10,
    "60,000 photographs in 10 classes, 32x32 RGB, downloaded",
    "1fea5c35cac7937058906cf815fd6e0ab8c26c7b54f937647cbeca84c780e1ec",
)
