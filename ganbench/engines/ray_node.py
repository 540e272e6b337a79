"""In a process of a Ray node: what the engine asks of nodes.

These functions are Ray tasks. They import nothing of torch, since the work itself is done by a child process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganbench.engines.environment import environment
from ganbench.engines.node import News, perform
from ganbench.engines.ray_files import Staging


def look(marker: str) -> dict[str, Any]:
    """Say what a node is: its environment, and whether it sees a file in the folder of runs."""
    return {"environment": environment(), "shared": Path(marker).exists()}


def work(order: dict[str, Any], files: Any) -> Iterator[News]:
    """Do a task, and yield its news (`ganbench.engines.node`); a generator task.

    `files` is the handle of a `FileServer` where the nodes share no disk, else None.
    """
    if files is None:
        yield from perform(order)
        return
    with tempfile.TemporaryDirectory(prefix="ganbench-") as scratch:
        staging = Staging(order, files, Path(scratch))
        if not staging.begin():
            yield {"busy": True}
            return
        end: News = {}
        try:
            for news in perform(staging.order):
                if "ended" in news:
                    end = news
                else:
                    staging.bring_back()
                    yield news
        finally:
            staging.end()
        yield end  # once all files are back and the folder is free
