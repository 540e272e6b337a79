"""Tasks as Ray core tasks on the nodes of a cluster, each in a worker process of its own there.

A node that is lost, or a Ray process that is killed, costs the time since the last checkpoint: its tasks start again
elsewhere. Ray's own retries are off, since only the engine knows how a task ended.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    NodeDiedError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    TaskUnschedulableError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.engines import ray_node
from ganbench.engines.environment import difference, environment
from ganbench.engines.local import LocalEngine
from ganbench.engines.local import make as make_local
from ganbench.engines.node import end_of, event_of, order_of
from ganbench.engines.ray_files import FileServer
from ganbench.errors import RequestError
from ganbench.store.locks import in_work
from ganbench.util.device import cores
from ganbench.util.text import one_line

LOSSES = 3
"""How often a task is started again after its node was lost."""
SILENCE = 60.0
"""Seconds without a sign of life after which a task at work counts as lost: nodes give one every five."""
GRACE = 20.0
"""Seconds that tasks are given to write a checkpoint when the engine is left."""
REACH = 10.0
"""Seconds that the cluster's head may take to answer."""
LOOK = 60.0
"""Seconds that a node may take to say what it is."""
TICK = 0.1
"""Seconds between two looks at what nodes say, where nothing was said."""
AT_ONCE = 20
"""Pieces of news of one task that are taken before that."""
NODES_FOR = 1.0
"""Seconds that a list of the cluster's nodes holds good."""


@dataclass
class _Running:
    """A task that was given to Ray."""

    task: Task
    said: Any
    """The generator of its news."""
    losses: int = 0
    last: Event = field(init=False)
    heard: float = 0.0
    """When it last gave a sign of life; 0 while it waits for a node."""

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
        self._nodes: list[dict[str, float]] = []
        self._counted = -math.inf
        self._marker = request.store / f".shared-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> RayEngine:
        _connect(self._address)
        try:
            self._request.store.mkdir(parents=True, exist_ok=True)
            self._marker.touch()
            self._look_at_nodes()
        except BaseException:
            self.__exit__()
            raise
        return self

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
            for running in list(self._running):
                if running.heard and time.monotonic() - running.heard > SILENCE:
                    yield from self._lose(running, f"gave no sign of life for {SILENCE:.0f} s")
            if self._local is not None and self._local.pending:
                yield from self._local.turn()

    def _listen(self) -> Iterator[Event | Ended]:
        """Take the news that are there; where there are none, wait a tick."""
        for taken in range(AT_ONCE):
            by_news = {running.said: running for running in self._running}
            ready = _ready(list(by_news)) if by_news else []
            if not ready:
                if not taken:
                    time.sleep(TICK)  # not in ray.wait: a signal that asks for an end would be lost in there
                return
            for said in ready:
                yield from self._take(by_news[said])

    # The cluster.

    def _look_at_nodes(self) -> None:
        """Ask every node what it is: all must have the same environment; files are brought where one sees no store."""
        nodes = [node for node in _nodes() if node["Alive"]]
        look = ray.remote(num_cpus=0, max_retries=0)(ray_node.look)
        on = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
        asked = [look.options(scheduling_strategy=each).remote(str(self._marker)) for each in on]
        shared = self._request.options.get("shared", "auto") != "no"
        for node, answer in zip(nodes, asked, strict=True):
            name = node["NodeManagerHostname"]
            try:
                said = ray.get(answer, timeout=LOOK)
            except (TaskUnschedulableError, NodeDiedError):
                continue  # it has left meanwhile
            except (RayError, GetTimeoutError) as error:
                raise RequestError(f"--engine ray: node {name} cannot be used: {_cause(error)}") from error
            if why := difference(environment(), said["environment"]):
                raise RequestError(f"--engine ray: node {name} has {why}: install the same there")
            shared &= said["shared"]
        if not shared:
            here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
            server = ray.remote(num_cpus=0, max_restarts=0)(FileServer)
            self._files = server.options(scheduling_strategy=here).remote(str(self._request.store))
            self._local = make_local(self._request).__enter__()

    def _room(self, task: Task) -> int:
        """Return how many tasks such as this one the cluster has room for; 0 where no node could do it."""
        wanted = _options(task)
        if time.monotonic() - self._counted > NODES_FOR:
            self._nodes, self._counted = [node["Resources"] for node in _nodes() if node["Alive"]], time.monotonic()
        count = 0
        for has in self._nodes:
            shares = [has.get("CPU", 0.0) / wanted["num_cpus"]]
            shares += [has.get("GPU", 0.0) / wanted["num_gpus"]] if wanted["num_gpus"] else []
            shares += [has.get("memory", 0.0) / wanted["memory"]] if "memory" in wanted else []
            count += int(min(shares))
        return count

    # Tasks.

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
            room = self._room(task)
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
            work = ray.remote(max_retries=0, num_returns="streaming", **_options(task))(ray_node.work)
            running = _Running(task, work.remote(order, self._files), losses)
            self._running.append(running)
            yield running.last

    def _take(self, running: _Running) -> Iterator[Event | Ended]:
        """Take a piece of news."""
        try:
            news = ray.get(next(running.said))
        except StopIteration:
            yield from self._lose(running, "ended without a word")
            return
        except OutOfMemoryError:
            self._running.remove(running)
            yield Ended(running.task, -9, running.last, out_of_memory=True)
            return
        except RayTaskError as error:
            raise RequestError(f"--engine ray: {running.task.name} cannot be done: {_cause(error)}") from error
        except RayError as error:
            yield from self._lose(running, _cause(error))
            return
        running.heard = time.monotonic()
        if "event" in news:
            running.last = event_of(running.task, news["event"])
            yield running.last
        elif "ended" in news:
            self._running.remove(running)
            yield end_of(running.task, news["ended"])
        elif "busy" in news:
            self._running.remove(running)
            self._busy.append(running.task)
            yield Event(running.task, phase=WAITING)
        elif "refused" in news:
            raise RequestError(f"--engine ray: {news['refused']}")

    def _lose(self, running: _Running, why: str) -> Iterator[Event | Ended]:
        """Start a task again whose node is gone; not for ever."""
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


def _connect(address: str | None) -> None:
    """Join the cluster at an address, or start one of this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is not None and address != "auto":
        _check_reachable(address)
    words: dict[str, Any] = {"address": address} if address else {"num_cpus": cores(), "include_dashboard": False}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**words, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"no cluster at {address}" if address else "no cluster could be started"
        raise RequestError(f"--engine ray: {where}: {one_line(str(error), 200)}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray's own would end the command without a word


def _check_reachable(address: str) -> None:
    """Raise `RequestError` where nobody answers at an address: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise RequestError(f"--engine ray: address {address!r}: write auto, or host:port of the cluster's head")
    try:
        socket.create_connection((host, int(port)), timeout=REACH).close()
    except (OSError, OverflowError) as error:  # a port beyond 65535
        raise RequestError(f"--engine ray: no cluster at {address}: {error}") from error


def _nodes() -> list[dict[str, Any]]:
    return list(ray.nodes())  # type: ignore[no-untyped-call]


def _options(task: Task) -> dict[str, Any]:
    """Return what a task asks of a node, in Ray's words."""
    wanted = task.resources
    found: dict[str, Any] = {"num_cpus": wanted.cpus or 1, "num_gpus": wanted.gpus or 0}
    return found | ({"memory": wanted.memory} if wanted.memory else {})


def _told(task: Task) -> str:
    return ", ".join(f"{name.removeprefix('num_')} {value:g}" for name, value in _options(task).items())


def _cause(error: BaseException) -> str:
    """Return the last line of what Ray says of an error, which is the error itself; the rest is a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, RayTaskError):
        return one_line(lines[-1] if lines else type(error).__name__, 200)
    return one_line(lines[0] if lines else type(error).__name__, 200)
