"""Checkpoints on disk: written beside training, whole or not at all, and checked before they are trusted.

A file begins with one line of JSON (format, SHA-256 of the rest, where training stood), padded to `HEADER` bytes; the
rest is what `torch.save` makes of tensors and plain values, and is read with ``weights_only=True`` alone. The one
before is kept until the next but one is written.
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO, NamedTuple

import torch

from ganbench.store.checkpoint_header import BEFORE, FORMAT, HEADER, LATEST, Damaged, read_header
from ganbench.util.atomic_io import atomic_write

WRITER = "checkpoint writer"
"""The name of the thread that writes."""
SHARE_OF_TIME = 0.01
"""The most that taking checkpoints may add to training: the next one waits until this holds, unless `every` is 0."""


class Checkpoint(NamedTuple):
    """What was read: the state, and a sentence about each file that was passed over as damaged."""

    state: dict[str, Any] | None
    damaged: list[str]


class CheckpointWriter:
    """Writes checkpoints into a folder in a thread of its own, `every` so many seconds (0: one after the other).

    Training waits only while its state is copied. An error of writing, such as a full disk, is raised by the next call.
    """

    def __init__(self, folder: Path, every: float) -> None:
        self._folder, self._every = folder, every
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._next = perf_counter() + every

    def due(self, now: float) -> bool:
        """Tell whether it is time for one, at `now` of ``time.perf_counter``; never while the last is being written."""
        return now >= self._next and not (self._thread is not None and self._thread.is_alive())

    def save(self, take: Callable[[], dict[str, Any]], about: dict[str, Any]) -> None:
        """Take a state, and write it with a few plain facts `about` it that can be read without torch."""
        self.wait()
        start = perf_counter()
        state = take()
        taken = perf_counter() - start
        self._next = perf_counter() + (self._every and max(self._every, taken / SHARE_OF_TIME))
        self._thread = threading.Thread(target=self._write, args=(state, about), name=WRITER, daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        """Take no more: this state cannot be saved."""
        self._next = float("inf")

    def wait(self) -> None:
        """Return once the last checkpoint is on disk; raise what kept it from there."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _write(self, state: dict[str, Any], about: dict[str, Any]) -> None:
        latest = self._folder / LATEST
        try:
            atomic_write(latest, lambda stream: _encode(stream, state, about), keep=self._folder / BEFORE)
        except BaseException as error:
            self._error = error


class _Hashed:
    """A stream that knows the hash of what went through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        try:
            return self._stream.write(data)
        except OSError as error:  # torch makes something else of it
            self.error = error
            raise

    def flush(self) -> None:
        self._stream.flush()


def _encode(stream: BinaryIO, state: dict[str, Any], about: dict[str, Any]) -> None:
    stream.write(b" " * HEADER)
    hashed = _Hashed(stream)
    try:
        torch.save(state, hashed)  # type: ignore[arg-type]
    except RuntimeError:
        if hashed.error is not None:
            raise hashed.error from None
        raise
    header = json.dumps({"ganbench_checkpoint": FORMAT, "sha256": hashed.sha256.hexdigest(), **about}).encode()
    if len(header) >= HEADER:
        raise ValueError(f"a checkpoint's header of {len(header)} bytes")
    stream.seek(0)
    stream.write(header + b"\n")


def read_file(path: Path) -> dict[str, Any]:
    """Return the state in one checkpoint; raise `Damaged` where it is not whole, or not one."""
    header = read_header(path)
    try:
        with open(path, "rb") as stream:
            stream.seek(HEADER)
            if hashlib.file_digest(stream, "sha256").hexdigest() != header["sha256"]:
                raise Damaged(f"{path}: truncated, or changed after it was written")
            stream.seek(HEADER)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found: dict[str, Any] = torch.load(stream, map_location="cpu", weights_only=True)
            return found
    except Damaged:
        raise
    except Exception as error:  # a file that was made to do harm finds many ways not to be read
        raise Damaged(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from error


def read_checkpoint(folder: Path) -> Checkpoint:
    """Return the last good checkpoint of a folder, and what is wrong with those that are not."""
    damaged = list[str]()
    for path in (folder / LATEST, folder / BEFORE):
        if path.exists():
            try:
                return Checkpoint(read_file(path), damaged)
            except Damaged as error:
                damaged.append(str(error))
    return Checkpoint(None, damaged)


def remove_checkpoints(folder: Path) -> None:
    """Remove a folder's checkpoints: its run has ended, or begins anew."""
    for name in (LATEST, BEFORE):
        (folder / name).unlink(missing_ok=True)
