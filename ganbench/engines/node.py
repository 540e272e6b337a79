"""On a node: one task in a worker process of its own, as on the machine of the command, and its news as JSON values.

News are ``{"event": {...}}``, ``{"ended": {...}}``, ``{"busy": true}`` where another process holds the task's lock,
``{"refused": WHY}`` where the task cannot be done on this node, and ``{}``, a heartbeat.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.engines.environment import difference, environment
from ganbench.engines.local import LocalEngine
from ganbench.errors import RequestError
from ganbench.util.resources import Resources

HEARTBEAT = 5.0
"""Seconds without news after which a node sends a heartbeat."""
PROGRESS_EVERY = 1.0
"""Seconds between two events that report progress alone."""

News = dict[str, Any]


def order_of(task: Task, request: EngineRequest) -> dict[str, Any]:
    """Return all that a node must know to do a task, as JSON values."""
    return {
        "task": {
            "name": task.name, "entry": task.entry, "payload": task.payload, "log": str(task.log.absolute()),
            "lock": task.lock and str(task.lock.absolute()), "budget_seconds": task.budget_seconds,
            "budget_phases": sorted(task.budget_phases), "reads": [str(path.absolute()) for path in task.reads],
            "folder": task.folder and str(task.folder.absolute()),
        },
        "threads": request.threads, "deterministic": request.deterministic, "stall_timeout": request.stall_timeout,
        "preload": list(request.preload), "paths": own_paths(), "environment": environment(),
    }  # fmt: skip


def perform(order: dict[str, Any], asked_to_end: Callable[[], bool] = lambda: False) -> Iterator[News]:
    """Do a task, and yield its news; the last is its end, unless `asked_to_end` or the generator is closed.

    The worker is then asked to end, which lets a training write a checkpoint, and killed ten seconds later. It also
    ends with this process, whatever ends that.
    """
    task = _task(order["task"])
    if why := _hindrance(order, task):
        yield {"refused": f"node {platform.node()}: {why}"}
        return
    engine = LocalEngine(
        1, threads=order["threads"], deterministic=order["deterministic"], stall_timeout=order["stall_timeout"],
        preload=tuple(order["preload"]), environment=os.environ | {"PYTHONPATH": os.pathsep.join(order["paths"])},
        spawn=sys.platform == "darwin",
    )  # fmt: skip
    told, phase = 0.0, ""
    with engine:
        engine.submit(task)
        while engine.pending and not asked_to_end():
            for happened in engine.turn():
                if isinstance(happened, Ended):
                    yield {"ended": as_json(happened)}
                elif happened.phase == WAITING:
                    yield {"busy": True}
                    return
                elif happened.data or happened.phase != phase or time.monotonic() - told > PROGRESS_EVERY:
                    told, phase = time.monotonic(), happened.phase
                    yield {"event": as_json(happened)}
            if time.monotonic() - told > HEARTBEAT:
                told = time.monotonic()
                yield {}


def as_json(happened: Event | Ended) -> dict[str, Any]:
    """Return an event or an end without its task, as JSON values."""
    found = {
        field.name: getattr(happened, field.name) for field in dataclasses.fields(happened) if field.name != "task"
    }
    if isinstance(happened, Ended):
        found["last"] = as_json(happened.last)
    return found


def read_news(task: Task, news: News, engine: str) -> Event | Ended | None:
    """Return the event or the end that news tell of; an event in phase `WAITING` where the task's lock is taken.

    None for a heartbeat. Raises `RequestError`, which names the engine, where the node refused the task.
    """
    if "refused" in news:
        raise RequestError(f"--engine {engine}: {news['refused']}")
    if "busy" in news:
        return Event(task, phase=WAITING)
    if "event" in news:
        return Event(task, **news["event"])
    if "ended" in news:
        said = news["ended"]
        return Ended(task, **{**said, "last": Event(task, **said["last"])})
    return None


def _task(said: dict[str, Any]) -> Task:
    return Task(
        said["name"], said["entry"], said["payload"], Path(said["log"]), said["lock"] and Path(said["lock"]),
        said["budget_seconds"], frozenset(said["budget_phases"]), Resources(), tuple(map(Path, said["reads"])),
        said["folder"] and Path(said["folder"]),
    )  # fmt: skip


def _hindrance(order: dict[str, Any], task: Task) -> str:
    """Say why a task cannot be done here as it would be where the command runs; nothing where it can."""
    if why := difference(order["environment"], environment()):
        return f"has {why}: install the same there"
    if absent := [path for path in task.reads if not path.exists()]:
        return (
            f"does not see {absent[0]}: put it on a disk that all nodes share (GANBENCH_CACHE names the folder of "
            "prepared data), or install a model as a package"
        )
    return ""


def own_paths() -> list[str]:
    """Return where modules are looked for beside what is installed: a class given from Python must be found there.

    Folders of packages that come after the standard library, such as the user's, are left out: Python finds them by
    itself, and PYTHONPATH would put them before the standard library, which backports in them would then replace.
    """
    installed, library = (sys.prefix, sys.base_prefix), str(Path(os.__file__).parent)
    first = sys.path[: sys.path.index(library)] if library in sys.path else sys.path
    return [
        path
        for path in sys.path
        if path
        and not path.startswith(installed)
        and (path in first or Path(path).name not in ("site-packages", "dist-packages"))
    ]
