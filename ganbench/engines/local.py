"""Trials as processes on this machine, some at a time; each may end as it likes, the others go on."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import Popen, TimeoutExpired
from typing import Any

from ganbench.engines import forkserver as starter
from ganbench.engines.base import WAITING, Event
from ganbench.engines.watchdog import Watch
from ganbench.errors import RequestError
from ganbench.store.provenance import provenance
from ganbench.store.run_record import Record, Status, read_record
from ganbench.store.run_spec import Job, RuntimeConfig
from ganbench.store.store import RECORD, RESERVE, in_work, locked, set_aside
from ganbench.training.failures import BUSY, of_exit, out_of_memory_kills, tail
from ganbench.util.atomic_io import sha256_of

GRACE = 10.0
"""Seconds between asking a worker to end, which lets it write a checkpoint, and killing it."""
TICK = 0.5
"""Seconds between two looks at who is silent."""
TIMEOUT = 600.0
TRIES = 3
"""How often a trial is started whose starter ended under it."""


@dataclass(frozen=True)
class LocalEngine:
    """Run `jobs` worker processes at a time; end one that has been silent for too long, at most `timeout` seconds."""

    jobs: int
    timeout: float = TIMEOUT

    def run(self, jobs: list[Job]) -> Iterator[Event]:
        if jobs:
            shift = _Shift(jobs, self)
            try:
                yield from shift.events()
            finally:
                shift.close()


class _Shift:
    """One run of an executor: a starter, the trials that wait and those that are watched."""

    def __init__(self, jobs: list[Job], executor: LocalEngine) -> None:
        self._executor, self._setting = executor, jobs[0].setting
        self._waiting = deque(jobs)
        self._busy: list[Job] = []
        self._watched: dict[str, Watch] = {}
        self._news: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._alive, self._life = os.pipe()
        os.set_inheritable(self._life, False)
        self._starts = 0
        self._starter = self._start_starter()

    def events(self) -> Iterator[Event]:
        """Yield events until nothing waits and nothing runs."""
        looked = time.monotonic()
        while self._waiting or self._watched or self._busy:
            yield from self._fill()
            with contextlib.suppress(queue.Empty):
                news = self._news.get(timeout=TICK)
                yield from self._restart() if news is None else self._take(news)
            now = time.monotonic()
            if now - looked > TICK:
                stalled = now - looked > 10 * TICK  # this process slept, not its trials
                looked = now
                for watch in self._watched.values():
                    watch.cut_log()
                    if stalled:
                        watch.heard = now
                    self._end_silent(watch, now)

    def _fill(self) -> Iterator[Event]:
        """Start what waits while there is room; what another run is at work on comes last."""
        while len(self._watched) < self._executor.jobs and (self._waiting or self._busy):
            if self._waiting:
                job = self._waiting.popleft()
            else:
                free = next((job for job in self._busy if not in_work(job.folder)), None)
                if free is None:
                    return
                self._busy.remove(free)
                job = free
            self._watched[job.trial.key] = Watch(job)
            self._tell(start=job.trial.key, job=job.model_dump(mode="json"))
            yield Event(job.trial, phase="starting")

    def _take(self, news: dict[str, Any]) -> Iterator[Event]:
        watch = self._watched.get(news["key"])
        if watch is None:
            return
        if "pid" in news:
            watch.begin(news["pid"])
        elif "ended" not in news:
            if (event := watch.hear(news)) is not None:
                yield event
        else:
            del self._watched[news["key"]]
            record = self._conclude(watch, news["ended"])
            if record is None:
                self._busy.append(watch.job)
                yield Event(watch.job.trial, phase=WAITING)
            else:
                yield Event(watch.job.trial, record=record)

    def _conclude(self, watch: Watch, code: int) -> Record | None:
        """Return the record that there is, or write the one that the worker could not; None where another is at it."""
        watch.cut_log()
        job, path = watch.job, watch.job.folder / RECORD
        if code == BUSY:
            return None
        if (record := _written(job)) is not None:  # no lock is needed to read, and another run may have it by now
            return record
        job.folder.mkdir(parents=True, exist_ok=True)  # which it may not have come to
        with locked(job.folder) as mine:
            if not mine:
                return None
            if (record := _written(job)) is not None:
                return record
            if path.exists():
                set_aside(job.folder)
            log = tail(job.folder / "log.txt")
            if watch.ending:
                status, reason = Status.TIMEOUT, watch.ending
            else:
                status, reason = of_exit(code, log, out_of_memory=out_of_memory_kills() > watch.kills_before)
            record = job.trial.ended(
                status, reason, log=log, curve=watch.curve, images=watch.images, seconds={"train": watch.seconds},
                provenance=watch.provenance or provenance(None, job.trial.precision, job.setting.command),
            )  # fmt: skip
            try:
                record.write(path, spare=job.folder / RESERVE)
            except OSError as error:
                why = f"{reason}; its record could not be written ({error.strerror})"
                return record.model_copy(update={"reason": why})
            return record

    def _end_silent(self, watch: Watch, now: float) -> None:
        patience = watch.patience(self._executor.timeout)
        if watch.pid and not watch.ending and now - watch.heard > patience:
            at = f"{watch.phase} at {watch.share:.0%} of its budget" if watch.share else watch.phase
            watch.ending = f"nothing came of it for {patience:.0f} s, while {at}: ended"
            watch.told_to_end = now
            self._signal(watch, signal.SIGTERM)
        elif watch.ending and now - watch.told_to_end > GRACE:
            watch.told_to_end = now
            self._signal(watch, signal.SIGKILL)

    # The starter.

    def _start_starter(self) -> Popen[bytes]:
        self._starts += 1
        process = starter.start(self._alive, _environment(self._setting), spawn=_spawns(self._setting))
        threading.Thread(target=_listen, args=(process, self._news), daemon=True).start()
        return process

    def _tell(self, **command: Any) -> None:
        assert self._starter.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its end is news of its own
            self._starter.stdin.write(json.dumps(command).encode() + b"\n")

    def _signal(self, watch: Watch, number: int) -> None:
        self._tell(signal=watch.job.trial.key, number=int(number))

    def _restart(self) -> Iterator[Event]:
        """The starter is gone, and its workers with it: start their trials again from where they stood."""
        self._kill_all()
        if self._starts > TRIES:
            raise RequestError("workers cannot be started: what standard error says above is why")
        for watch in self._watched.values():
            self._waiting.appendleft(watch.job)
        self._watched.clear()
        self._starter = self._start_starter()
        return iter(())

    def _kill_all(self) -> None:
        for watch in self._watched.values():
            if watch.pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(watch.pid, signal.SIGKILL)

    def close(self) -> None:
        """End what still runs, first by asking: a trial that trains writes a checkpoint."""
        for watch in self._watched.values():
            self._signal(watch, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while self._watched and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                news = self._news.get(timeout=left)
                if news is None:
                    break
                if "ended" in news:
                    self._watched.pop(news["key"], None)
        assert self._starter.stdin is not None
        self._starter.stdin.close()  # which ends the rest
        with contextlib.suppress(TimeoutExpired):
            self._starter.wait(GRACE)
        self._kill_all()
        os.close(self._life)
        os.close(self._alive)


def _environment(setting: RuntimeConfig) -> dict[str, str]:
    threads = str(setting.threads)
    found = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    # A model class given from Python must be found where its module was found here.
    found["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    if setting.deterministic:
        found["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    return found


def _spawns(setting: RuntimeConfig) -> bool:
    """Tell whether workers must be new Pythons: CUDA and Apple's libraries may not outlive a fork."""
    return setting.device != "cpu" or sys.platform == "darwin"


def _written(job: Job) -> Record | None:
    """Return the record that was written for a job, None where there is none that can be read but the one before."""
    path = job.folder / RECORD
    with contextlib.suppress(RequestError, OSError):
        record = read_record(path)
        if sha256_of(path) != job.replaces:
            return record
    return None


def _listen(process: Popen[bytes], news: queue.Queue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            with contextlib.suppress(ValueError):
                news.put(json.loads(line))
    process.wait()
    news.put(None)
