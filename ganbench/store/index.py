"""What a list shows of finished runs, kept in one file, so that a large store is not read anew for each list.

``runs/.index`` is derived and may be deleted at any time. What it says of a run counts only while the run's record and
its score files have the time stamps and sizes that they had when they were read; files that are younger than two
seconds are not kept, since a change within one tick of the clock would not show. It speeds up ``ganbench runs`` and
nothing else: whatever ranks, trains or publishes reads the records.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pydantic_core

from ganbench.store.layout import RUN, SCORES
from ganbench.util.atomic_io import write_bytes

NAME = ".index"
LEAST = 100
"""A smaller store is read as fast without one."""
VERSION = 1
YOUNG = 2 * 10**9
"""Nanoseconds."""

Stamp = list[Any]


class Index:
    """The index of a store; use as ``Index(root)``, then `get` for each run, then `save`."""

    def __init__(self, root: Path) -> None:
        self._path = root / NAME
        self._root = str(root)
        self._known = _load(self._path)
        self._seen: dict[str, tuple[Stamp, list[Any]]] = {}
        self._changed = False

    def get(self, key: str, read: Callable[[], list[Any] | None]) -> list[Any] | None:
        """Return what is known of a run, else what `read` returns: JSON values, None for what is not to be kept."""
        stamp = self._stamp(key)
        if stamp is not None and key in self._known and self._known[key][0] == stamp:
            self._seen[key] = self._known[key]
            return self._known[key][1]
        content = read()
        if content is not None and stamp is not None and time.time_ns() - max(each[1] for each in stamp) > YOUNG:
            self._seen[key] = stamp, content
            self._changed = True
        return content

    def save(self) -> None:
        """Write what was asked for, where it is more or other than before; a store that is read-only has no index."""
        if len(self._seen) < LEAST or not (self._changed or len(self._seen) < len(self._known)):
            return
        body = json.dumps({"version": VERSION, "runs": self._seen}, separators=(",", ":")).encode()
        with suppress(OSError):
            write_bytes(self._path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def _stamp(self, key: str) -> Stamp | None:
        """Return names, times of change (status change among them) and sizes; None where there is no record."""
        folder = f"{self._root}/{key}"
        try:
            stamps = [_facts(RUN, os.stat(f"{folder}/{RUN}"))]  # noqa: PTH116 (10,000 times)
        except OSError:
            return None
        try:
            with os.scandir(f"{folder}/{SCORES}") as entries:
                stamps += sorted(_facts(each.name, each.stat()) for each in entries if each.name.endswith(".json"))
        except FileNotFoundError:
            pass
        except OSError:
            return None
        return stamps


def _facts(name: str, found: os.stat_result) -> list[Any]:
    return [name, max(found.st_mtime_ns, found.st_ctime_ns), found.st_mtime_ns, found.st_ino, found.st_size]


def _load(path: Path) -> dict[str, tuple[Stamp, list[Any]]]:
    try:
        checksum, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        return {}
    try:
        content = pydantic_core.from_json(body)
        return dict(content["runs"]) if content["version"] == VERSION else {}
    except (ValueError, KeyError, TypeError):
        return {}
