"""Tasks as arrays of SLURM jobs. The command may end: jobs stay in the queue, and the same command finds them again."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections import deque
from collections.abc import Iterator
from typing import Any

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.engines import slurm_queue
from ganbench.engines.node import order_of, read_news
from ganbench.engines.slurm_arrays import Job, Known, earlier
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


class SlurmEngine:
    """Runs tasks as SLURM jobs. Use as a context manager: leaving it ends nothing."""

    def __init__(self, request: EngineRequest) -> None:
        self._request, self._root = request, request.store / FOLDER
        self._waiting: deque[Task] = deque()
        self._busy: list[Task] = []
        self._jobs: list[Job] = []
        self._known: dict[str, list[Known]] = {}
        self._queued: dict[str, slurm_queue.Place] = {}
        self._looked = 0.0

    def __enter__(self) -> SlurmEngine:
        slurm_queue.lead(self._request.options.get("time"))
        self._root.mkdir(parents=True, exist_ok=True)
        self._queued = slurm_queue.queue()
        self._known = earlier(self._root, self._queued)
        return self

    def __exit__(self, *error: object) -> None:
        """Leave jobs where they are: they go on."""

    @property
    def left(self) -> str:
        """What stays in the queue, in a sentence."""
        if not self._jobs:
            return ""
        arrays = dict.fromkeys(job.array for job in self._jobs)
        jobs = "1 job stays" if len(self._jobs) == 1 else f"{len(self._jobs)} jobs stay"
        return (
            f"{jobs} in SLURM's queue and go on: the same command follows them again, `ganbench runs` lists runs, "
            f"`scancel {' '.join(arrays)}` cancels them"
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

    def _fill(self) -> Iterator[Event]:
        """Submit all that waits; what another command is at work on is submitted again when that is done."""
        for task in [each for each in self._busy if each.lock is None or not in_work(each.lock)]:
            self._busy.remove(task)
            self._waiting.append(task)
        groups: dict[Resources, list[tuple[Task, dict[str, Any]]]] = {}
        while self._waiting:
            task = self._waiting.popleft()
            order = json.loads(json.dumps(order_of(task, self._request)))
            known = next((each for each in self._known.get(task.name, []) if each.order() == order), None)
            if known is not None:
                self._known[task.name].remove(known)
                job = Job(task, known.folder, known.number, known.array)
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

    def _array(self, group: list[tuple[Task, dict[str, Any]]], needs: Resources, after: str) -> list[Job]:
        """Submit one array, which waits for the one before it where only so many tasks may run at a time."""
        folder = self._root.absolute() / uuid.uuid4().hex[:12]
        folder.mkdir()
        for number, (_, order) in enumerate(group):
            write_text(folder / f"{number}.json", json.dumps(order))
        at_a_time = self._request.jobs
        try:
            array = slurm_queue.submit(
                folder, len(group), at_a_time, needs, self._request.options,
                paths=group[0][1]["paths"], after=after if at_a_time else "",
            )  # fmt: skip
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        write_text(folder / "array.json", json.dumps({"job": array, "tasks": [task.name for task, _ in group]}))
        return [Job(task, folder, number, array) for number, (task, _) in enumerate(group)]

    # News.

    def _take(self, job: Job, news: dict[str, Any]) -> Iterator[Event | Ended]:
        if job not in self._jobs:
            return
        job.gone = None
        try:
            happened = read_news(job.task, news, "slurm")
        except RequestError:
            self._jobs.remove(job)
            job.forget()
            raise
        if isinstance(happened, Ended):
            self._jobs.remove(job)
            yield happened
            job.forget()  # not before it was taken in: a command that is killed meanwhile leaves it to the next
        elif happened is not None and happened.phase == WAITING:
            self._jobs.remove(job)
            job.forget()
            self._busy.append(job.task)
            yield happened
        elif happened is not None:
            job.last = happened
            yield happened

    def _look(self) -> Iterator[Event | Ended]:
        """Look at the queue: say why jobs wait, and find those that are gone."""
        self._looked = time.monotonic()
        try:
            queued = slurm_queue.queue()
        except RequestError:  # SLURM does not answer: jobs go on all the same
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

    def _find(self, job: Job) -> Iterator[Event | Ended]:
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
        job.forget()


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
