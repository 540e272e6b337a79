"""Locks of folders: the operating system's, so that none outlives its process; network file systems have them too."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganbench.errors import RequestError


class Lock:
    """A folder's lock, which one process can hold; it is free as soon as that process is gone."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock, or return False where another process has it. Raises OSError where there can be none."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            # Not flock: a child that a plugin forks would hold that too, and live on.
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return True

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock meanwhile; False where another process has it."""
    lock = Lock(folder)
    try:
        yield lock.acquire()
    finally:
        lock.release()


def in_work(folder: Path) -> bool:
    """Tell whether another process is at work in a run's folder."""
    if not (folder / "lock").exists():
        return False
    with locked(folder) as mine:
        return not mine


def check_lockable(root: Path) -> None:
    """Raise `RequestError` where the store's file system has no locks: two runs could not be kept apart there."""
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".lock-") as folder, locked(Path(folder)) as mine:
            assert mine
    except OSError as error:
        raise RequestError(
            f"--runs {root}: its file system cannot lock files ({os.strerror(error.errno or 0)}): name another folder"
        ) from error
