"""What a local engine knows of a task at work: what its worker said last, and when it has been silent for too long."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ganbench.engine import Event, Task
from ganbench.engines.exit_status import out_of_memory_kills

MULTIPLE = 10
"""How many times its whole budget a task may be silent."""
LEAST_STALL = 60.0
"""Seconds that it may be silent at the least, unless the stall timeout is shorter."""
LOG_BYTES, LOG_KEPT = 2**20, 2**18
"""A log longer than the first is cut down to its last part."""
SHOWN = ("phase", "share", "images", "seconds", "losses")


@dataclass
class Watchdog:
    """One task at work."""

    task: Task
    place: int = 0
    """Which of the engine's places it has."""
    pid: int = 0
    last: Event = field(init=False)
    heard: float = field(default_factory=time.monotonic)
    ending: str = ""
    """Why it is being ended; empty where it is not."""
    told_to_end: float = 0.0
    kills_before: int = field(default_factory=out_of_memory_kills)
    spent: dict[str, float] | None = field(default_factory=dict)
    """Seconds by phase, by the engine's own clock; None where the engine slept and cannot tell."""
    _booked: float = field(default_factory=time.monotonic)
    _phase_began: float = field(default_factory=time.monotonic)
    _phase_limit: float | None = None

    def __post_init__(self) -> None:
        self.last = Event(self.task, phase="starting")

    def begin(self, pid: int) -> None:
        """Take in that its process is there: from now on it may be silent for too long."""
        self.pid, self.heard = pid, time.monotonic()

    def hear(self, said: dict[str, Any]) -> Event:
        """Take in what the worker said, and return it as an event; what it does not say is as before."""
        self.heard = time.monotonic()
        self.book(said.pop("heard", self.heard))
        known = {name: said.pop(name) for name in SHOWN if name in said}
        limit = said.pop("limit_seconds", None)
        if known.get("phase", self.last.phase) != self.last.phase or limit is not None:
            self._phase_began, self._phase_limit = self.heard, limit
        self.last = replace(self.last, **known, data={**self.last.data, **said})
        return replace(self.last, data=said)

    def book(self, now: float) -> None:
        """Count the time since the last booking as the phase's."""
        if self.spent is not None:
            self.spent[self.last.phase] = self.spent.get(self.last.phase, 0.0) + now - self._booked
        self._booked = now

    def overdue(self, stall_timeout: float, now: float) -> str:
        """Say why the task must be ended: it shows no progress, or a phase takes too long; nothing while it is well."""
        if self._phase_limit is not None and now - self._phase_began > self._phase_limit:
            return f"{self.last.phase} took longer than its limit of {self._phase_limit:.0f} s"
        allowed = self.allowed_silence(stall_timeout)
        if now - self.heard <= allowed:
            return ""
        at = f" at {self.last.share:.0%} of its budget".replace("%", " %") if 0 < self.last.share < 1 else ""
        return f"stalled: no progress for {allowed:.0f} s during {self.last.phase}{at}"

    def allowed_silence(self, stall_timeout: float) -> float:
        """Return the seconds that the task may be silent for.

        That is `MULTIPLE` times what its whole budget takes, by its clock or at its pace so far, but never more than
        `stall_timeout`; and `stall_timeout` where that is not known, or in a phase that the budget says nothing of.
        """
        if self.last.phase not in self.task.budget_phases:
            return stall_timeout
        whole = self.task.budget_seconds
        if whole is None and self.last.share > 0:
            whole = self.last.seconds / self.last.share
        return stall_timeout if whole is None else min(stall_timeout, max(LEAST_STALL, MULTIPLE * whole))

    def cut_log(self) -> None:
        """Cut a log that has become too long down to its end.

        The task may print meanwhile, and appends: its end moves to the front in place, and what has come by then
        moves after it, so that lines stay in order.
        """
        with contextlib.suppress(OSError):
            size = self.task.log.stat().st_size
            if size <= LOG_BYTES:
                return
            note, start = f"[{size - LOG_KEPT:,} bytes left out]\n".encode(), size - LOG_KEPT
            with open(self.task.log, "r+b", buffering=0) as log:
                os.pwrite(log.fileno(), note, 0)
                moved = len(note)
                while moved < LOG_BYTES and (late := os.pread(log.fileno(), LOG_KEPT, start)):
                    moved += os.pwrite(log.fileno(), late, moved)
                    start += len(late)
                log.truncate(moved)
