"""Tasks for engines under test, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
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
