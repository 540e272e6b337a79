"""Files between the machine of the command and nodes that do not see its disk.

They go in pieces through an actor, `FileServer`, on the machine of the command: Ray's object store never holds more
than a piece of each task.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import ray

from ganbench.store.locks import Lock

PIECE = 4 * 2**20
"""Bytes of a piece."""
LAST = "run.json"
"""Comes back after all others: a run whose record is there is whole."""
LEFT = ("lock", ".reserve")
"""Files of a folder that belong to the machine where they are."""


class FileServer:
    """Reads and writes files on the machine of the command; holds the locks of the folders that nodes work on.

    Only files in `root`, the folder of runs, can be written, and only those and the files of `offered` read.
    """

    def __init__(self, root: str) -> None:
        self._root, self._offered = Path(root).resolve(), set[str]()
        self._locks: dict[str, Lock] = {}

    def begin(self, folder: str, lock: bool, reads: list[str]) -> dict[str, int] | None:
        """Lock a folder, and return its files with their sizes; None where another process is at work there."""
        place = self._inside(folder)
        place.mkdir(parents=True, exist_ok=True)
        if lock and folder not in self._locks:
            held = Lock(place)
            if not held.acquire():
                return None
            self._locks[folder] = held
        self._offered.update(reads)
        return sizes(place)

    def end(self, folder: str) -> None:
        """Give a folder's lock back."""
        if (held := self._locks.pop(folder, None)) is not None:
            held.release()

    def size(self, path: str) -> int:
        return self._readable(path).stat().st_size

    def read(self, path: str, offset: int) -> bytes:
        """Return the piece of a file that begins at an offset."""
        with open(self._readable(path), "rb") as file:
            file.seek(offset)
            return file.read(PIECE)

    def write(self, path: str, offset: int, piece: bytes, last: bool) -> None:
        """Write a piece; the file has its name as soon as the last one is there."""
        place = self._inside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        with open(part, "r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(piece)
        if last:
            part.replace(place)

    def remove(self, path: str) -> None:
        self._inside(path).unlink(missing_ok=True)

    def _inside(self, path: str) -> Path:
        place = Path(path).resolve()
        if not place.is_relative_to(self._root):
            raise PermissionError(f"{path} is not in {self._root}")
        return place

    def _readable(self, path: str) -> Path:
        return Path(path) if path in self._offered else self._inside(path)


class Staging:
    """The files of one task on a node: brought there, and what the task changes brought back.

    `order` is the task's, with the paths of this node.
    """

    def __init__(self, order: dict[str, Any], files: Any, scratch: Path) -> None:
        task = order["task"]
        self._files, self._folder = files, str(task["folder"])
        self._here = scratch / Path(self._folder).name
        self._locked, self._reads = task["lock"] is not None, list(task["reads"])
        self._moved = {self._folder: str(self._here)}
        self._moved |= {path: str(_kept(path)) for path in self._reads}
        self.order = {**order, "task": _rewritten(task, self._moved)}
        self._known: dict[str, tuple[int, int]] = {}

    def begin(self) -> bool:
        """Bring everything here; False where another process is at work on the task."""
        there = ray.get(self._files.begin.remote(self._folder, self._locked, self._reads))
        if there is None:
            return False
        self._here.mkdir(parents=True, exist_ok=True)
        for name in there:
            self._fetch(f"{self._folder}/{name}", self._here / name)
        for path in self._reads:
            place = Path(self._moved[path])
            if not (place.exists() and place.stat().st_size == ray.get(self._files.size.remote(path))):
                self._fetch(path, place)
        self._known = _states(self._here)
        return True

    def bring_back(self, *, last: bool = False) -> None:
        """Bring files that changed back to the machine of the command; the record comes last.

        Before the end only whole files count, and those that are being written have another name.
        """
        now = _states(self._here)
        changed = sorted((name for name in now if now[name] != self._known.get(name)), key=lambda name: name == LAST)
        for name in changed:
            if last or name.endswith(".pt"):
                self._send(self._here / name, f"{self._folder}/{name}")
                self._known[name] = now[name]
        if last:
            for name in set(self._known) - set(now):
                ray.get(self._files.remove.remote(f"{self._folder}/{name}"))

    def end(self) -> None:
        """Give the folder back, with what a task that was asked to end has left."""
        self.bring_back(last=True)
        ray.get(self._files.end.remote(self._folder))

    def _fetch(self, path: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=to.parent, prefix=".part-")
        offset = 0
        with os.fdopen(handle, "wb") as file:
            while piece := ray.get(self._files.read.remote(path, offset)):
                file.write(piece)
                offset += len(piece)
        Path(part).replace(to)

    def _send(self, path: Path, to: str) -> None:
        size, offset = path.stat().st_size, 0
        with open(path, "rb") as file:
            while offset == 0 or offset < size:
                piece = file.read(PIECE)
                ray.get(self._files.write.remote(to, offset, piece, offset + len(piece) >= size))
                offset += max(1, len(piece))


def sizes(folder: Path) -> dict[str, int]:
    """Return the files of a folder with their sizes, by their names in it, but for those that stay where they are."""
    return {name: size for name, (size, _) in _states(folder).items()}


def _states(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not path.name.startswith(".") and name not in LEFT:
            status = path.stat()
            found[name] = (status.st_size, status.st_mtime_ns)
    return found


def _kept(path: str) -> Path:
    """Return where a node keeps a file that tasks read, so that it is brought once: its name tells its content."""
    folder = Path(tempfile.gettempdir(), f"ganbench-files-{os.getuid()}")
    return folder / f"{hashlib.sha256(path.encode()).hexdigest()[:8]}-{Path(path).name}"


def _rewritten(task: dict[str, Any], moved: dict[str, str]) -> dict[str, Any]:
    """Return a task in which every text that is one of the paths, or lies below one, is where it was moved to."""

    def other(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: other(each) for key, each in value.items()}
        if isinstance(value, list):
            return [other(each) for each in value]
        if isinstance(value, str):
            for path, place in moved.items():
                if value == path or value.startswith((f"{path}/", f"{path}:")):
                    return place + value[len(path) :]
        return value

    result: dict[str, Any] = other(json.loads(json.dumps(task)))
    return result
