"""Tasks as Ray core tasks on the nodes of a cluster, each in a worker process of its own there.

A node that is lost, or a Ray process that is killed, costs the time since the last checkpoint: its tasks start again
elsewhere. Ray's own retries are off, since only the engine knows how a task ended.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.engines import ray_node
from ganbench.engines.local import LocalEngine
from ganbench.engines.local import make as make_local
from ganbench.engines.node import order_of, read_news
from ganbench.engines.ray_cluster import Room, asked_for, cause, connect, only_on, share_a_disk
from ganbench.engines.ray_files import FileServer
from ganbench.errors import RequestError
from ganbench.store.locks import in_work
from ganbench.util.device import pick_device

LOSSES = 3
"""How often a task is started again after its node was lost."""
SILENCE = 60.0
"""Seconds without a heartbeat after which a running task counts as lost: nodes send one every five."""
GRACE = 20.0
"""Seconds that tasks are given to write a checkpoint when the engine is left."""
TICK = 0.1
"""Seconds to wait where no node has sent anything."""
AT_ONCE = 20
"""The most pieces of news of one task that are processed between two looks."""


@dataclass(eq=False)
class _Running:
    """A task that was given to Ray."""

    task: Task
    said: Any
    """The generator of its news."""
    losses: int = 0
    last: Event = field(init=False)
    heard: float = 0.0
    """When its node last sent something; 0 while it waits for a node."""

    def __post_init__(self) -> None:
        self.last = Event(self.task, phase="waiting for a node")


class RayEngine:
    """Runs tasks on a Ray cluster. Use as a context manager: leaving it ends what still runs."""

    def __init__(self, request: EngineRequest) -> None:
        self._request, self._address = request, request.options.get("address")
        self._waiting: deque[tuple[Task, int]] = deque()
        self._busy: list[Task] = []
        self._running: list[_Running] = []
        self._local: LocalEngine | None = None
        self._files: Any = None
        self._room = Room()
        self._looked = time.monotonic()
        self._marker = request.store / f".shared-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> RayEngine:
        connect(self._address)
        try:
            self._request.store.mkdir(parents=True, exist_ok=True)
            self._marker.touch()
            if not (share_a_disk(self._marker) and self._request.options.get("shared", "auto") == "auto"):
                self._bring_files()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _bring_files(self) -> None:
        """Serve files to nodes that do not see the store; what can only be done beside it is done here."""
        server = ray.remote(num_cpus=0, max_restarts=0)(FileServer)
        here = only_on(ray.get_runtime_context().get_node_id())
        self._files = server.options(scheduling_strategy=here).remote(str(self._request.store))
        try:
            pick_device(self._request.devices[0])
        except RequestError as error:
            raise RequestError(
                f"--engine ray: nodes share no disk, so runs are scored on this machine: {error}"
            ) from error
        self._local = make_local(self._request).__enter__()

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Add a task, before all that wait where `first`; one that only this machine can do waits here."""
        if self._local is not None and task.folder is None:
            self._local.submit(task, first=first)
        elif first:
            self._waiting.appendleft((task, 0))
        else:
            self._waiting.append((task, 0))

    def events(self) -> Iterator[Event | Ended]:
        """Yield news until nothing waits and nothing runs."""
        while self._waiting or self._running or self._busy or (self._local is not None and self._local.pending):
            yield from self._fill()
            yield from self._listen()
            yield from self._lose_the_silent()
            if self._local is not None and self._local.pending:
                yield from self._local.turn()

    def _lose_the_silent(self) -> Iterator[Event | Ended]:
        """Restart tasks whose nodes send no heartbeats, unless this process slept, as the nodes may have."""
        now = time.monotonic()
        slept, self._looked = now - self._looked > SILENCE / 2, now
        for running in [each for each in self._running if each.heard]:
            if slept:
                running.heard = now
            elif now - running.heard > SILENCE:
                yield from self._lose(running, f"no heartbeat for {SILENCE:.0f} s")

    def _listen(self) -> Iterator[Event | Ended]:
        """Process the news that have arrived; wait a tick where there are none."""
        for taken in range(AT_ONCE):
            by_news = {running.said: running for running in self._running}
            ready = _ready(list(by_news)) if by_news else []
            if not ready:
                if not taken:
                    time.sleep(TICK)  # not in ray.wait: a signal that asks for an end would be lost in there
                return
            for said in ready:
                yield from self._take(by_news[said])

    def _fill(self) -> Iterator[Event]:
        """Give Ray as many tasks as there is room for; what another command is at work on comes last."""
        while self._waiting or self._busy:
            if not self._waiting:
                free = next((task for task in self._busy if task.lock is None or not in_work(task.lock)), None)
                if free is None:
                    return
                self._busy.remove(free)
                self._waiting.append((free, 0))
            task, losses = self._waiting[0]
            room = self._room.of(task)
            if room == 0 and not self._running:
                raise RequestError(
                    f"--engine ray: no node has what {task.name} needs ({_told(task)}): see `ray status`, or --per-run"
                )
            if len(self._running) >= min(room, self._request.jobs or room):
                return
            self._waiting.popleft()
            order = order_of(task, self._request)
            if self._files is not None and (files := [path for path in task.reads if path.suffix == ".py"]):
                raise RequestError(
                    f"--engine ray: {files[0]}: the nodes do not see it: install the model as a package on all of them"
                )
            if self._files is None:
                order["task"]["reads"].append(str(self._marker.absolute()))
            work = ray.remote(max_retries=0, num_returns="streaming", **asked_for(task))(ray_node.work)
            running = _Running(task, work.remote(order, self._files), losses)
            self._running.append(running)
            yield running.last

    def _take(self, running: _Running) -> Iterator[Event | Ended]:
        """Process one piece of news."""
        try:
            news = ray.get(next(running.said))
        except StopIteration:
            yield from self._lose(running, "ended without a result")
            return
        except OutOfMemoryError:
            self._running.remove(running)
            yield Ended(running.task, -9, running.last, out_of_memory=True)
            return
        except RayTaskError as error:
            raise RequestError(f"--engine ray: {running.task.name} cannot be done: {cause(error)}") from error
        except RayError as error:
            yield from self._lose(running, cause(error))
            return
        running.heard = time.monotonic()
        happened = read_news(running.task, news, "ray")
        if happened is None:
            return
        if isinstance(happened, Ended):
            self._running.remove(running)
        elif happened.phase == WAITING:
            self._running.remove(running)
            self._busy.append(running.task)
        else:
            running.last = happened
        yield happened

    def _lose(self, running: _Running, why: str) -> Iterator[Event | Ended]:
        """Restart a task whose node is gone, `LOSSES` times at most."""
        self._running.remove(running)
        with contextlib.suppress(RayError, ValueError):
            ray.cancel(running.said, force=True)
            if self._files is not None and running.task.folder is not None:
                ray.get(self._files.end.remote(str(running.task.folder.absolute())))
        if running.losses == LOSSES:
            yield Ended(running.task, -9, running.last, lost=f"its node was lost {LOSSES + 1} times: {why}")
            return
        self._waiting.appendleft((running.task, running.losses + 1))
        yield Event(running.task, phase=f"starts again: {why}", data={})

    def __exit__(self, *error: object) -> None:
        """End what still runs, first by asking: a training writes a checkpoint."""
        if self._local is not None:
            self._local.__exit__()
        left = [running.said for running in self._running]
        for said in left:
            ray.cancel(said, force=False)
        deadline = time.monotonic() + GRACE
        while left and time.monotonic() < deadline:
            time.sleep(TICK)
            for said in _ready(left):
                try:
                    ray.get(next(said))
                except (StopIteration, RayError):
                    left.remove(said)
        for said in left:
            ray.cancel(said, force=True)
        self._marker.unlink(missing_ok=True)
        ray.shutdown()


def make(request: EngineRequest) -> RayEngine:
    """Return the engine."""
    if (shared := request.options.get("shared", "auto")) not in ("auto", "no"):
        raise RequestError(f"--engine ray[shared={shared}]: write auto or no")
    return RayEngine(request)


def _ready(said: list[Any]) -> list[Any]:
    """Return the generators that have news."""
    ready, _ = ray.wait(said, num_returns=len(said), timeout=0, fetch_local=False)
    return list(ready)


def _told(task: Task) -> str:
    return ", ".join(f"{name.removeprefix('num_')} {value:g}" for name, value in asked_for(task).items())
