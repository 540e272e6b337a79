"""Files that are written whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ganbench.errors import RequestError


def atomic_write(path: Path, write: Callable[[BinaryIO], object], *, keep: Path | None = None) -> None:
    """Write a file through a temporary neighbour and a rename, so that readers never see half of it.

    The file that it replaces is moved to `keep`, where that is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        if keep is not None and path.exists():
            path.replace(keep)
        Path(temporary).replace(path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        Path(temporary).unlink(missing_ok=True)
        raise


def partial_files(folder: Path) -> list[Path]:
    """Return what `atomic_write` left half done in a folder when its process was killed; also what is being written."""
    return sorted(path for path in folder.glob(".*.????????") if path.is_file())


def remove_partial_files(folder: Path) -> None:
    """Remove `partial_files`; call it only where nobody else writes to the folder."""
    for path in partial_files(folder):
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, spare: Path | None = None) -> None:
    """Write a file whole; where a `spare` file lies in the same folder, into its room: the disk may be full."""
    if spare is None or not spare.exists():
        atomic_write(path, lambda stream: stream.write(content))
        return
    with open(spare, "r+b") as stream:
        stream.truncate(stream.write(content))
        stream.flush()
        os.fsync(stream.fileno())
    spare.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole."""
    write_bytes(path, text.encode())


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_writable(folder: Path, option: str) -> None:
    """Raise `RequestError` where nothing can be written to a folder, now and not after an hour of training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RequestError(
            f"{option} {folder}: cannot be written ({os.strerror(error.errno or 0)}): name another folder"
        ) from error
