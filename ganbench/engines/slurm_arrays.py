"""Arrays of SLURM jobs as files below the folder of runs, which all nodes must see.

``.slurm/ID/array.json`` names an array's job and its tasks, ``N.json`` is the order of task N, ``N.news`` what that
task said, ``N.out`` what its job printed. An order is removed as soon as a command has taken in how its task ended, so
that no end counts twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganbench.engine import Event, Task

KEPT, ABANDONED = 600.0, 7 * 24 * 3600.0
"""Seconds after which an array's folder is removed: with all ends taken in, which another command may still read; and
with tasks that have neither ended nor are queued."""


@dataclass(eq=False)
class Job:
    """A task of an array."""

    task: Task
    folder: Path
    number: int
    array: str
    last: Event = field(init=False)
    offset: int = 0
    """How much of its news has been read."""
    gone: float | None = None
    """Since when it has not been in the queue."""

    def __post_init__(self) -> None:
        self.last = Event(self.task, phase="in SLURM's queue")

    @property
    def id(self) -> str:
        return f"{self.array}_{self.number}"

    def news(self) -> list[dict[str, Any]]:
        """Return what it has said since the last look, in whole lines."""
        try:
            with open(self.folder / f"{self.number}.news", "rb") as file:
                file.seek(self.offset)
                read = file.read()
        except FileNotFoundError:
            return []
        whole = read[: read.rfind(b"\n") + 1]
        self.offset += len(whole)
        found = []
        for line in whole.splitlines():
            with contextlib.suppress(ValueError):  # half a line, left by a node that went down
                found.append(json.loads(line))
        return found

    def forget(self) -> None:
        """Remove its order: its end has been taken in."""
        (self.folder / f"{self.number}.json").unlink(missing_ok=True)


@dataclass(frozen=True)
class Known:
    """A task of an earlier command's array."""

    folder: Path
    number: int
    array: str
    queued: bool

    def order(self) -> Any:
        """Return what was ordered; None where that cannot be read."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.folder / f"{self.number}.json").read_bytes())
        return None


def earlier(root: Path, queued: Container[str]) -> dict[str, list[Known]]:
    """Return tasks of earlier commands that are queued, or whose ends no command has taken in, by name.

    Those that are queued come first. The user's arrays that have no such task any more are removed.
    """
    found: dict[str, list[Known]] = {}
    for path in root.glob("*/array.json"):
        folder = path.parent
        try:
            array, owner = json.loads(path.read_bytes()), path.stat().st_uid
        except (OSError, ValueError):
            continue
        if owner != os.geteuid():  # whose jobs are not in this user's queue: locks keep their runs apart
            continue
        known, orders = [], 0
        for number, name in enumerate(array["tasks"]):
            orders += (folder / f"{number}.json").exists()
            at_work = f"{array['job']}_{number}" in queued
            if at_work or _has_ended(folder / f"{number}.news"):
                known.append(Known(folder, number, array["job"], at_work))
                found.setdefault(name, []).append(known[-1])
        if not any(each.queued for each in known):
            _remove_old(folder, ABANDONED if orders else KEPT)
    for same in found.values():
        same.sort(key=lambda each: not each.queued)
    return found


def _has_ended(news: Path) -> bool:
    try:
        with open(news, "rb") as lines:
            return any(line.startswith(b'{"ended"') and line.endswith(b"\n") for line in lines)
    except OSError:
        return False


def _remove_old(folder: Path, age: float) -> None:
    """Remove an array's folder where nothing has been put into it or taken out for so many seconds."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > age:
            shutil.rmtree(folder)
