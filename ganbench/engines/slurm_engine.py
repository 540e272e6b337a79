"""Tasks as arrays of SLURM jobs. The command may end: jobs stay in the queue, and the same command finds them again.

Everything is in files below the folder of runs, which all nodes must see: ``.slurm/ID/array.json`` names an array's job
and its tasks, ``N.json`` is the order of task N, ``N.news`` what that task said, ``N.out`` what its job printed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.engines import slurm_queue
from ganbench.engines.node import end_of, event_of, order_of
from ganbench.errors import RequestError
from ganbench.store.locks import in_work
from ganbench.util.atomic_io import write_text
from ganbench.util.log_tail import tail
from ganbench.util.resources import Resources

FOLDER = ".slurm"
TICK = 0.5
"""Seconds between two looks at what tasks say."""
QUEUE_EVERY = 5.0
"""Seconds between two looks at the queue."""
GONE = 15.0
"""Seconds after which a job that has left the queue without a word counts as lost."""


@dataclass(eq=False)
class _Job:
    """A task of an array."""

    task: Task
    folder: Path
    number: int
    array: str
    last: Event = field(init=False)
    offset: int = 0
    """How much of its news has been read."""
    gone: float | None = None
    """Since when it has not been in the queue."""

    def __post_init__(self) -> None:
        self.last = Event(self.task, phase="in SLURM's queue")

    @property
    def id(self) -> str:
        return f"{self.array}_{self.number}"

    def news(self) -> list[dict[str, Any]]:
        """Return what it has said since the last look, in whole lines."""
        try:
            with open(self.folder / f"{self.number}.news", "rb") as file:
                file.seek(self.offset)
                read = file.read()
        except FileNotFoundError:
            return []
        whole = read[: read.rfind(b"\n") + 1]
        self.offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class SlurmEngine:
    """Runs tasks as SLURM jobs. Use as a context manager: leaving it ends nothing."""

    def __init__(self, request: EngineRequest) -> None:
        self._request, self._root = request, request.store / FOLDER
        self._waiting: deque[Task] = deque()
        self._busy: list[Task] = []
        self._jobs: list[_Job] = []
        self._known: dict[str, tuple[Path, int, str]] = {}
        self._queued: dict[str, slurm_queue.Place] = {}
        self._looked = 0.0

    def __enter__(self) -> SlurmEngine:
        slurm_queue.lead(self._request.options.get("time"))
        self._root.mkdir(parents=True, exist_ok=True)
        self._queued = slurm_queue.queue() or {}
        self._known = self._earlier()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave jobs where they are: they go on."""

    @property
    def left(self) -> str:
        """What stays in the queue, in a sentence."""
        if not self._jobs:
            return ""
        arrays = dict.fromkeys(job.array for job in self._jobs)
        return (
            f"{len(self._jobs)} stay in SLURM's queue and go on: the same command takes them up again, `ganbench runs` "
            f"lists them, `scancel {' '.join(arrays)}` ends them"
        )

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Add a task; those that are added together become one array."""
        (self._waiting.appendleft if first else self._waiting.append)(task)

    def events(self) -> Iterator[Event | Ended]:
        """Yield news until nothing waits and nothing runs."""
        while self._waiting or self._busy or self._jobs:
            yield from self._fill()
            for job in list(self._jobs):
                for news in job.news():
                    yield from self._take(job, news)
            if time.monotonic() - self._looked > QUEUE_EVERY:
                yield from self._look()
            time.sleep(TICK)

    # Arrays.

    def _earlier(self) -> dict[str, tuple[Path, int, str]]:
        """Return tasks of earlier commands that are queued, or have ended and may not have been taken in, by name.

        Arrays that have no such task any more are removed.
        """
        found: dict[str, tuple[Path, int, str]] = {}
        for path in self._root.glob("*/array.json"):
            try:
                array = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            queued = False
            for number, name in enumerate(array["tasks"]):
                at_work = f"{array['job']}_{number}" in self._queued
                queued |= at_work
                if at_work or _has_ended(path.parent / f"{number}.news"):
                    found[name] = (path.parent, number, array["job"])
            if not queued and time.time() - path.stat().st_mtime > 24 * 3600:
                shutil.rmtree(path.parent, ignore_errors=True)
        return found

    def _fill(self) -> Iterator[Event]:
        """Submit all that waits; what another command is at work on is submitted again when that is done."""
        for task in [each for each in self._busy if each.lock is None or not in_work(each.lock)]:
            self._busy.remove(task)
            self._waiting.append(task)
        groups: dict[Resources, list[tuple[Task, dict[str, Any]]]] = {}
        while self._waiting:
            task = self._waiting.popleft()
            order = json.loads(json.dumps(order_of(task, self._request)))
            known = self._known.pop(task.name, None)
            if known is not None and _order(known[0], known[1]) == order:
                job = _Job(task, *known)
                self._jobs.append(job)
                yield job.last
            else:
                groups.setdefault(task.resources, []).append((task, order))
        for needs, group in groups.items():
            if needs.gpus and needs.gpus != int(needs.gpus):
                raise RequestError(
                    f"--engine slurm: {needs.gpus:g} GPUs: SLURM gives out whole ones; write --per-run gpus=1, or "
                    "ask for a share with --sbatch where your cluster has shards"
                )
            most, after = slurm_queue.largest_array(), ""
            for start in range(0, len(group), most):
                jobs = self._array(group[start : start + most], needs, after)
                after = jobs[0].array
                self._jobs += jobs
                yield from (job.last for job in jobs)

    def _array(self, group: list[tuple[Task, dict[str, Any]]], needs: Resources, after: str) -> list[_Job]:
        """Submit one array, which waits for the one before it where only so many tasks may run at a time."""
        folder = self._root.absolute() / uuid.uuid4().hex[:12]
        folder.mkdir()
        for number, (_, order) in enumerate(group):
            write_text(folder / f"{number}.json", json.dumps(order))
        at_a_time = self._request.jobs
        try:
            with _paths(group[0][1]["paths"]):
                array = slurm_queue.submit(
                    folder, len(group), at_a_time, needs, self._request.options, after=after if at_a_time else ""
                )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        write_text(folder / "array.json", json.dumps({"job": array, "tasks": [task.name for task, _ in group]}))
        return [_Job(task, folder, number, array) for number, (task, _) in enumerate(group)]

    # News.

    def _take(self, job: _Job, news: dict[str, Any]) -> Iterator[Event | Ended]:
        if job not in self._jobs:
            return
        job.gone = None
        if "event" in news:
            job.last = event_of(job.task, news["event"])
            yield job.last
        elif "ended" in news:
            self._jobs.remove(job)
            yield end_of(job.task, news["ended"])
        elif "busy" in news:
            self._jobs.remove(job)
            self._busy.append(job.task)
            yield Event(job.task, phase=WAITING)
        elif "refused" in news:
            self._jobs.remove(job)
            raise RequestError(f"--engine slurm: {news['refused']}")

    def _look(self) -> Iterator[Event | Ended]:
        """Look at the queue: say why jobs wait, and find those that are gone."""
        self._looked = time.monotonic()
        queued = slurm_queue.queue()
        if queued is None:  # SLURM does not answer: jobs go on all the same
            return
        for job in list(self._jobs):
            place = queued.get(job.id)
            if place is None:
                yield from self._find(job)
            elif place.state != "RUNNING":
                job.gone = None
                why = f" ({place.reason})" if place.reason not in ("", "None") else ""
                phase = f"in SLURM's queue: {place.state.lower()}{why}"
                if job.last.phase != phase:
                    job.last = Event(job.task, phase=phase, share=job.last.share, data=job.last.data)
                    yield Event(job.task, phase=phase, share=job.last.share)

    def _find(self, job: _Job) -> Iterator[Event | Ended]:
        """Conclude a job that has left the queue: its last news may still be under way from its node."""
        if job.gone is None:
            job.gone = time.monotonic()
        if time.monotonic() - job.gone < GONE:
            return
        news = job.news()
        for each in news:
            yield from self._take(job, each)
        if job not in self._jobs:
            return
        state, log = slurm_queue.state_of(job.id), tail(job.folder / f"{job.number}.out")
        if state in slurm_queue.ALIVE:
            job.gone = None
            return
        self._jobs.remove(job)
        yield Ended(
            job.task, -15, job.last, lost=_told(job.id, state, log), log=log, out_of_memory=state == "OUT_OF_MEMORY"
        )


def make(request: EngineRequest) -> SlurmEngine:
    """Return the engine."""
    return SlurmEngine(request)


def _told(job: str, state: str, log: str) -> str:
    """Say in a line how a job ended that left no word."""
    if state == "CANCELLED":
        return f"SLURM job {job} was cancelled"
    lines = [line for line in log.splitlines() if line.strip()]
    said = lines[-1].strip() if lines else "it printed nothing: do all nodes see the folder of runs?"
    return f"SLURM job {job} ended ({state or 'SLURM has forgotten how'}) without a result: {said}"


def _order(folder: Path, number: int) -> Any:
    with contextlib.suppress(OSError, ValueError):
        return json.loads((folder / f"{number}.json").read_bytes())
    return None


def _has_ended(news: Path) -> bool:
    try:
        return b'\n{"ended"' in b"\n" + news.read_bytes()
    except OSError:
        return False


@contextlib.contextmanager
def _paths(paths: list[str]) -> Iterator[None]:
    """Let jobs, which are given this process's environment, find ganbench where this process does."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
