"""One bar, for whatever is being done."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from rich.console import Console


PAUSE = 10.0
"""Seconds between two plain lines."""


class Bar:
    """A bar on a terminal, gone at the end. Use as a context manager.

    Where it is not `shown`, nothing; or, with `lines`, a plain line on standard error every few seconds.
    """

    def __init__(self, screen: Console, *, shown: bool, lines: bool = False) -> None:
        self._lines, self._said = lines and not shown, time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=screen, transient=True, disable=not shown)
        self._task = self._progress.add_task("loading", total=None)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def move(self, what: str, done: int, total: int) -> None:
        """Say what is being done and how far it is; a total of 0 is not known."""
        if self._lines and time.monotonic() - self._said >= PAUSE:
            self._said = time.monotonic()
            print(f"{what} {done:,} of {total:,}" if total else what, file=sys.stderr, flush=True)
        self._progress.update(self._task, description=what, completed=done, total=total or None)
