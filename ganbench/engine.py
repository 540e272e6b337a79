"""What an engine is: tasks in, events out. Processes of this machine, Ray and SLURM follow this protocol.

An engine knows nothing of models, records or scores. A task names a function, which a worker process calls.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from ganbench.util.resources import Resources

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
    resources: Resources = Resources()
    """What it needs of a node; an engine for one machine may ignore it."""
    reads: tuple[Path, ...] = ()
    """Files outside the store that it reads: they must exist on the node that it runs on."""
    folder: Path | None = None
    """The only folder that it changes, if there is one: an engine without a shared disk copies it back."""


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
    lost: str = ""
    """Why the engine does not know how it ended, for instance because its job was cancelled; empty otherwise."""
    log: str = ""
    """The last lines that it printed, where it did not end with status 0."""
    out_of_memory: bool = False
    """Whether the kernel ended processes for want of memory meanwhile."""
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds by phase by the engine's clock, which no worker can reach; empty where the engine cannot tell."""


class Engine(Protocol):
    """Runs tasks, so many at a time. Use as a context manager: leaving it ends what still runs.

    One whose tasks go on without it may have an attribute `left`, a sentence about those that do.
    """

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


@dataclass(frozen=True)
class EngineRequest:
    """What an engine is made from.

    `jobs` are the tasks that may run at a time, None as many as there is room for; `store` is the folder of runs;
    `options` has the engine's own options, as text, by name. `devices` are what tasks share on this machine, such as
    ``["cuda:0", "cuda:1"]``. `preload` are modules that are slow to import and that every worker needs.
    """

    jobs: int | None
    threads: int
    store: Path
    deterministic: bool = False
    stall_timeout: float = 600.0
    devices: tuple[str, ...] = ("cpu",)
    preload: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineSource:
    """An engine that can be asked for by name: ``ganbench run --engine NAME``.

    `factory`, ``module:function``, is called with an `EngineRequest`, raises `RequestError` where that cannot be met,
    and returns an `Engine`. It is imported when the engine is first used.
    """

    name: str
    summary: str
    factory: str
    options: Mapping[str, str] = field(default_factory=dict)
    """What each of its own options means, by name: ``--engine "NAME[option=value]"``."""
    requires: tuple[str, ...] = ()
    """Modules that it imports beyond ganbench's dependencies."""
    programs: tuple[str, ...] = ()
    """Programs that it calls."""
    install: str = ""
    """How to install what it needs."""
    local: bool = False
    """Whether its tasks run on this machine, and may use the devices that this process sees."""

    def lacking(self) -> str:
        """Say what it needs that is not here; nothing where it has all."""
        return lacking(self.requires, self.programs, self.install)

    def make(self, request: EngineRequest) -> Engine:
        """Return the engine."""
        module, _, function = self.factory.partition(":")
        engine: Engine = getattr(importlib.import_module(module), function)(request)
        return engine


def lacking(modules: Iterable[str], programs: Iterable[str], install: str) -> str:
    """Say which modules and programs are not here, and how to install them; nothing where all are."""
    absent = [name for name in modules if find_spec(name) is None]
    absent += [name for name in programs if shutil.which(name) is None]
    return f"needs {', '.join(absent)}{f': {install}' if install else ''}" if absent else ""
