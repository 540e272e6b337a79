"""What an engine is: tasks in, events out. Local processes follow this protocol; an engine for clusters can, too.

An engine knows nothing of models, records or scores. A task names a function, which a worker process calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

WAITING = "waiting for another command that is at work on it"
"""The phase of a task whose `lock` another process holds."""


@dataclass(frozen=True)
class Task:
    """One piece of work for a worker process of its own.

    The worker calls `entry`, ``module:function``, as ``function(payload, emit, began)``: `payload` is plain JSON,
    ``emit(**event)`` sends events, `began` is when the process did (``time.perf_counter``); it returns an exit status.
    What the worker prints is appended to `log`. `name` is unique within a session.
    """

    name: str
    entry: str
    payload: dict[str, Any]
    log: Path
    lock: Path | None = None
    """The folder whose lock the worker takes; tried again later where another process holds it."""
    budget_seconds: float | None = None
    """What the budget allows training to take, where it says so in seconds: silence is measured against it."""
    budget_phases: frozenset[str] = frozenset()
    """Phases in which silence of a multiple of the whole budget means that the worker is stuck."""


@dataclass(frozen=True)
class Event:
    """News of a task: what it is at, how far (`share`, 0 to 1), and whatever else its worker emitted (`data`)."""

    task: Task
    phase: str = ""
    share: float = 0.0
    images: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a task's worker ended: its exit status (minus the signal that ended it), and what was known of it last."""

    task: Task
    code: int
    last: Event
    stalled: str = ""
    """Why the engine ended it; empty where it ended by itself."""
    log: str = ""
    """The last lines that it printed, where it did not end with status 0."""
    out_of_memory: bool = False
    """Whether the kernel ended processes for want of memory meanwhile."""
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds by phase by the engine's clock, which no worker can reach; empty where the engine cannot tell."""


class Engine(Protocol):
    """Runs tasks, so many at a time. Use as a context manager: leaving it ends what still runs."""

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Add a task, before all that wait where `first`; also while `events` is being read."""
        ...

    def events(self) -> Iterator[Event | Ended]:
        """Yield news until nothing waits and nothing runs."""
        ...

    def __enter__(self) -> Engine: ...

    def __exit__(self, *error: object) -> None:
        """End what still runs, first by asking, so that it can go on another time."""
        ...
