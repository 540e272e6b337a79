"""Tasks for engines under test, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ganbench.engine import Ended, Engine, Task


def task(logs: Path, entry: str, name: str = "", lock: Path | None = None, **payload: Any) -> Task:
    name = name or entry
    return Task(name, f"{__package__}.entries:{entry}", payload, logs / f"{name}.txt", lock=lock)


def ends(engine: Engine, tasks: Iterable[Task]) -> dict[str, Ended]:
    """Run tasks to their ends, and return those by name."""
    with engine:
        for each in tasks:
            engine.submit(each)
        return {end.task.name: end for end in engine.events() if isinstance(end, Ended)}


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()  # a zombie waits for its parent alone
    except FileNotFoundError:
        return False


def counting(tmp_path: Path, name: str, until: int, **other: Any) -> Task:
    """A task that counts in a folder of the store, and that reads a file outside it."""
    folder, data = tmp_path / "store" / name, tmp_path / "data.txt"
    folder.mkdir(parents=True, exist_ok=True)
    data.write_text("some data")
    return Task(
        name, f"{__package__}.entries:counts", {"folder": str(folder), "until": until, "data": str(data)},
        folder / "log.txt", lock=folder, reads=(data,), folder=folder, **other,
    )  # fmt: skip


def until(good: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not good():
        assert time.monotonic() < deadline
        time.sleep(0.1)
