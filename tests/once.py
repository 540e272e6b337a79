"""What several processes need is made by the first of them that asks."""

from __future__ import annotations

import fcntl
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")


class MakeOnce(Protocol):
    """Return what `make` returns for a new folder; all processes of pytest-xdist share the first one's."""

    def __call__(self, name: str, make: Callable[[Path], T]) -> T: ...


def made_once(shared: Path, name: str, make: Callable[[Path], T]) -> T:
    """Do so in a folder that the processes share; where it fails, the next that asks tries again."""
    folder, result = shared / name, shared / f"{name}.pickle"
    with open(shared / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            result.write_bytes(pickle.dumps(make(folder)))
    return pickle.loads(result.read_bytes())  # type: ignore[no-any-return]
