"""The store: one folder a trial under its key, in which nothing is trusted unseen and nothing finished is lost.

    <key>/record.json    the result, written once         trial.json  setting.json   what was asked for, and how
          checkpoint.pt  the trained model                samples.png  curve.csv  log.txt
          training.png   how samples moved, for points
          resume.pt      where training stands            lock        held by the process that is at work here

Plain files and POSIX locks, which network file systems have too; a lock is the operating system's, so that none
outlives its process.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.store.run_record import Record, read_record
from ganbench.util.atomic_io import sha256_of

RECORD, RESERVE = "record.json", ".reserve"
"""The result; and space that is kept free for it while the trial is in work, should the disk become full."""


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
    """Tell whether another process is at work in a trial's folder."""
    if not (folder / "lock").exists():
        return False
    with locked(folder) as mine:
        return not mine


@dataclass(frozen=True)
class Kept:
    """A record that the store holds, and the hash of its file."""

    record: Record
    sha256: str


@dataclass(frozen=True)
class Store:
    """The folder of trials, ``runs`` by default."""

    root: Path

    def folder(self, key: str) -> Path:
        return self.root / key

    def read(self, key: str) -> Kept | None:
        """Return a trial's record, None where there is none.

        Raises `RequestError` for one that is damaged, was edited, or belongs to another trial.
        """
        path = self.folder(key) / RECORD
        if not path.exists():
            return None
        record = read_record(path)
        if record.key != key:
            raise RequestError(f"record {path}: of another trial, {record.key}")
        return Kept(record, sha256_of(path))

    def set_aside(self, key: str) -> Path:
        """Move a trial's record out of the way and return where it lies now; nothing is ever deleted."""
        return set_aside(self.folder(key))

    def keys(self) -> list[str]:
        """Return the keys of all trials that there are folders of, finished or not."""
        found = (*self.root.glob("*/trial.json"), *self.root.glob(f"*/{RECORD}"))
        return sorted({path.parent.name for path in found})

    def find(self, start: str) -> str:
        """Return the one key that begins with `start`; raise `RequestError` where there is none, or more."""
        found = [key for key in self.keys() if key.startswith(start)]
        if start in found:
            return start
        if len(found) != 1 or not start:
            what = "no trial" if not found else f"{len(found)} trials"
            raise RequestError(f"{start!r}: {what} of that key under {self.root}: `ganbench runs` lists them")
        return found[0]


def set_aside(folder: Path) -> Path:
    """Move a folder's record to ``record-before-N.json`` and return that."""
    number = 1
    while (aside := folder / f"record-before-{number}.json").exists():
        number += 1
    with suppress(FileNotFoundError):  # another run has done it meanwhile
        (folder / RECORD).replace(aside)
    return aside


def check_lockable(root: Path) -> None:
    """Raise `RequestError` where the store's file system has no locks: two runs could not be kept apart there."""
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".lock-") as folder, locked(Path(folder)) as mine:
            assert mine
    except OSError as error:
        raise RequestError(
            f"--out {root}: its file system cannot lock files ({os.strerror(error.errno or 0)}): name another folder"
        ) from error
