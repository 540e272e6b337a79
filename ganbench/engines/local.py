"""Tasks as processes on this machine, so many at a time; a crash in one does not affect the others."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.engines import forkserver
from ganbench.engines.exit_status import out_of_memory_kills
from ganbench.engines.watchdog import Watchdog
from ganbench.errors import RequestError
from ganbench.store.locks import in_work
from ganbench.util.device import places
from ganbench.util.exit_codes import BUSY
from ganbench.util.log_tail import tail

STARTS = 4
"""How often a fork server is started at the most: the first, and three after it was killed."""


class LocalEngine:
    """Runs `jobs` worker processes at a time. Use as a context manager: leaving it ends what still runs.

    A task that shows no progress for `stall_timeout` seconds (or less, see `Watchdog.allowed_silence`) is ended: asked
    by SIGTERM, which lets a training write a checkpoint, and killed `grace` seconds later. `tick` are the seconds
    between two looks at who is silent. With `spawn` every worker is a new Python, else it is forked from a process
    that has imported the modules of `preload`. The fork server is started with the first task.

    `places` are variables of the environment, one set for each device that tasks share, such as
    ``{"CUDA_VISIBLE_DEVICES": "1"}``: a task gets those of the place where the fewest are at work.

    Workers have this process's variables of the environment, or those of `environment` where it is given (its
    PYTHONPATH comes after what is on `sys.path` here), and, unless `network` is false, its network.
    """

    def __init__(
        self,
        jobs: int,
        *,
        threads: int = 1,
        deterministic: bool = False,
        spawn: bool = False,
        preload: tuple[str, ...] = (),
        places: Sequence[Mapping[str, str]] = ({},),
        stall_timeout: float = 600.0,
        grace: float = 10.0,
        tick: float = 0.5,
        environment: Mapping[str, str] | None = None,
        network: bool = True,
    ) -> None:
        self._jobs, self._spawn, self._preload = jobs, spawn, preload
        self._places, self._network = places, network
        self._environment = _environment(environment, threads, deterministic)
        self._stall_timeout, self._grace, self._tick = stall_timeout, grace, tick
        self._waiting: deque[Task] = deque()
        self._busy: list[Task] = []
        self._watched: dict[str, Watchdog] = {}
        self._news: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._server: Popen[bytes] | None = None
        self._starts = 0
        self._looked = time.monotonic()

    def __enter__(self) -> LocalEngine:
        self._orders = Path(tempfile.mkdtemp(prefix="ganbench-"))
        self._alive, self._life = os.pipe()
        os.set_inheritable(self._life, False)
        return self

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Add a task, before all that wait where `first`."""
        (self._waiting.appendleft if first else self._waiting.append)(task)

    def events(self) -> Iterator[Event | Ended]:
        """Yield news until nothing waits and nothing runs."""
        self._looked = time.monotonic()
        while self.pending:
            yield from self.turn()

    @property
    def pending(self) -> bool:
        """Whether something waits or runs."""
        return bool(self._waiting or self._watched or self._busy)

    def turn(self) -> Iterator[Event | Ended]:
        """Start what there is room for, wait for one piece of news, a tick at most, and yield it."""
        yield from self._fill()
        with contextlib.suppress(queue.Empty):
            news = self._news.get(timeout=self._tick)
            if news is None:
                self._restart()
            else:
                yield from self._take(news)
        now = time.monotonic()
        if now - self._looked > self._tick:
            slept = now - self._looked > 10 * self._tick  # this process slept, not its workers
            self._looked = now
            for watchdog in self._watched.values():
                watchdog.cut_log()
                if slept:
                    watchdog.heard = now
                    watchdog.spent = None
                self._end_overdue(watchdog, now)

    def _fill(self) -> Iterator[Event]:
        """Start what waits while there is room; what another command is at work on comes last."""
        while len(self._watched) < self._jobs and (self._waiting or self._busy):
            if self._waiting:
                task = self._waiting.popleft()
            else:
                free = next((task for task in self._busy if task.lock is None or not in_work(task.lock)), None)
                if free is None:
                    return
                self._busy.remove(free)
                task = free
            if self._server is None:
                self._start_server()
            at_work = Counter(watchdog.place for watchdog in self._watched.values())
            place = min(range(len(self._places)), key=lambda place: at_work[place])
            self._watched[task.name] = Watchdog(task, place)
            order = self._orders / f"{time.monotonic_ns()}.json"
            content = {"entry": task.entry, "payload": task.payload, "log": str(task.log)}
            order.write_text(json.dumps(content | {"environment": dict(self._places[place])}))
            self._tell(start=task.name, file=str(order))
            yield Event(task, phase="starting")

    def _take(self, news: dict[str, Any]) -> Iterator[Event | Ended]:
        watchdog = self._watched.get(news.pop("name"))
        if watchdog is None:
            return
        if "pid" in news:
            watchdog.begin(news["pid"])
        elif "ended" not in news:
            yield watchdog.hear(news)
        else:
            watchdog.book(news["heard"])
            yield from self._conclude(watchdog, news["ended"])

    def _conclude(self, watchdog: Watchdog, code: int) -> Iterator[Event | Ended]:
        task = watchdog.task
        del self._watched[task.name]
        watchdog.cut_log()
        if code == BUSY and task.lock is not None:
            self._busy.append(task)
            yield Event(task, phase=WAITING)
            return
        yield Ended(
            task, code, watchdog.last, stalled=watchdog.ending, log=tail(task.log) if code else "",
            out_of_memory=out_of_memory_kills() > watchdog.kills_before, spent=watchdog.spent or {},
        )  # fmt: skip

    def _end_overdue(self, watchdog: Watchdog, now: float) -> None:
        if watchdog.ending:
            if now - watchdog.told_to_end > self._grace:
                watchdog.told_to_end = now
                self._signal(watchdog, signal.SIGKILL)
        elif watchdog.pid and (why := watchdog.overdue(self._stall_timeout, now)):
            watchdog.ending, watchdog.told_to_end = why, now
            self._signal(watchdog, signal.SIGTERM)

    # The fork server.

    def _start_server(self) -> None:
        self._starts += 1
        self._server = forkserver.start(
            self._alive, self._environment, spawn=self._spawn, preload=self._preload, network=self._network
        )
        threading.Thread(target=_listen, args=(self._server, self._news), daemon=True).start()

    def _tell(self, **command: Any) -> None:
        assert self._server is not None and self._server.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its end is news of its own
            self._server.stdin.write(json.dumps(command).encode() + b"\n")

    def _signal(self, watchdog: Watchdog, number: int) -> None:
        self._tell(signal=watchdog.task.name, number=int(number))

    def _restart(self) -> None:
        """The fork server is gone, and its workers with it: start their tasks again from where they stood."""
        self._kill_all()
        if self._server is not None:
            assert self._server.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._server.stdin.close()
            self._server.wait()
        if self._starts >= STARTS:
            raise RequestError("workers cannot be started: standard error says why above")
        for watchdog in self._watched.values():
            self._waiting.appendleft(watchdog.task)
        self._watched.clear()
        self._start_server()

    def _kill_all(self) -> None:
        for watchdog in self._watched.values():
            if watchdog.pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(watchdog.pid, signal.SIGKILL)

    def __exit__(self, *error: object) -> None:
        """End what still runs, first by asking: a training writes a checkpoint."""
        for watchdog in self._watched.values():
            self._signal(watchdog, signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while self._watched and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                news = self._news.get(timeout=left)
                if news is None:
                    break
                if "ended" in news:
                    self._watched.pop(news["name"], None)
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()  # which ends the rest
            with contextlib.suppress(TimeoutExpired):
                self._server.wait(self._grace)
            self._kill_all()
        os.close(self._life)
        os.close(self._alive)
        shutil.rmtree(self._orders, ignore_errors=True)


def make(request: EngineRequest) -> LocalEngine:
    """Return the engine of this machine's processes, which share the devices of a request."""
    return LocalEngine(
        request.jobs or 1, stall_timeout=request.stall_timeout, threads=request.threads,
        deterministic=request.deterministic, spawn=sys.platform == "darwin", preload=request.preload,
        places=places(list(request.devices)),
    )  # fmt: skip


def _environment(given: Mapping[str, str] | None, threads: int, deterministic: bool) -> dict[str, str]:
    count = str(threads)
    found = {
        **(os.environ if given is None else given),
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
    }
    # A model class given from Python must be found where its module was found here.
    last = given.get("PYTHONPATH") if given is not None else None
    found["PYTHONPATH"] = os.pathsep.join(path for path in (*sys.path, last) if path)
    if deterministic:
        found["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    return found


def _listen(process: Popen[bytes], news: queue.Queue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            with contextlib.suppress(ValueError):
                news.put(json.loads(line) | {"heard": time.monotonic()})
    process.wait()
    news.put(None)
