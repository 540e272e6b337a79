"""Runs through an engine: trained, then asked what only their checkpoints can tell, then scored.

Scoring takes a slot of its own turn, as training does, so that it disturbs no costs that are measured beside it; while
a time budget runs, nothing is scored at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.budget import Budget
from ganbench.data.dataset import Dataset
from ganbench.engine import Ended, Engine, Event, Task
from ganbench.errors import RequestError
from ganbench.experiment.conclude import conclude
from ganbench.experiment.protocols import ScorePlan
from ganbench.scoring import worker as scoring_worker
from ganbench.scoring.job import ScoreJob
from ganbench.scoring.worker import likelihood_images
from ganbench.store.layout import answer_path
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import RunSpec, RuntimeConfig, TrainJob
from ganbench.store.samples import array_sha256
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store
from ganbench.training import inference, worker
from ganbench.training.data_file import write_training_data
from ganbench.training.inference import InferenceJob
from ganbench.util.atomic_io import write_bytes
from ganbench.util.cache import cache_folder
from ganbench.util.resources import Resources

TRAINING_PHASES = frozenset(("starting", "loading", "building", "training", "finishing"))


@dataclass(frozen=True)
class News:
    """What happened to a run: it got on (`event`), its training ended (`record`), or it was scored (`scored`).

    `refused` says why a run has no scores. All but `key` and `spec` are empty where they do not apply.
    """

    key: str
    spec: RunSpec | None = None
    event: Event | None = None
    record: RunRecord | None = None
    scored: bool = False
    refused: str = ""


@dataclass
class Execution:
    """One command's work: `train` jobs, and `score`, keys of runs that are there already, under each of `plans`."""

    engine: Engine
    store: Store
    dataset: Dataset
    plans: Sequence[ScorePlan]
    headline: str
    runtime: RuntimeConfig
    data_dir: Path | None = None
    slots: int = 1
    resources: Resources = Resources()
    """What a task that does not train is given of a node."""
    command: list[str] = field(default_factory=list)
    _jobs: dict[str, TrainJob] = field(default_factory=dict)
    _finished: list[str] = field(default_factory=list)
    _asking: dict[str, str] = field(default_factory=dict)
    _ready: list[str] = field(default_factory=list)
    _scoring: dict[str, tuple[list[str], ScorePlan]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, train: Sequence[TrainJob], score: Sequence[str]) -> Iterator[News]:
        """Do all of it, and yield what happens."""
        self._jobs = {job.spec.key: job for job in train}
        self._finished = list(score)
        for job in train:
            self.engine.submit(self._training(job))
        self._score()
        for happened in self.engine.events():
            name = happened.task.name
            if isinstance(happened, Event):
                yield from self._progress(happened)
            elif name in self._jobs:
                yield from self._training_ended(self._jobs.pop(name), happened)
            elif name in self._asking:
                yield from self._asked(self._asking.pop(name), happened)
            else:
                yield from self._scoring_ended(name, happened)
            if isinstance(happened, Ended):
                self._score()

    # Training.

    def _training(self, job: TrainJob) -> Task:
        return Task(
            name=job.spec.key, entry=worker.ENTRY, payload=job.model_dump(mode="json"), log=job.folder / "log.txt",
            lock=job.folder, budget_seconds=Budget.parse(job.spec.training.budget).seconds,
            budget_phases=TRAINING_PHASES, resources=job.resources, reads=_files(job), folder=job.folder,
        )  # fmt: skip

    def _progress(self, event: Event) -> Iterator[News]:
        if (job := self._jobs.get(event.task.name)) is not None:
            yield News(job.spec.key, job.spec, event=event)
        elif (at := self._scoring.get(event.task.name)) is not None:
            if (key := event.data.get("scored")) in at[0]:
                at[0].remove(key)
                yield News(key, scored=True)
            elif (key := event.data.get("refused")) in at[0]:
                at[0].remove(key)
                yield News(key, refused=str(event.data.get("reason", "")))
            else:
                yield News(str(event.data.get("run", "")), event=event)

    def _training_ended(self, job: TrainJob, end: Ended) -> Iterator[News]:
        record = conclude(job, end)
        if record is None:  # another command has it: look again when that is done
            self._jobs[job.spec.key] = job
            self.engine.submit(self._training(job))
            return
        yield News(record.key, record.spec, record=record)
        if record.status is RunStatus.OK:
            self._finished.append(record.key)

    # What only the checkpoint can tell: more samples, samples that were cleaned away, likelihoods.

    def _ask(self, key: str) -> None:
        """Ask a run's checkpoint what must be known before it is scored; where that is nothing, it is ready."""
        record = self.store.read(key)
        if record is None or record.status is not RunStatus.OK or record.samples is None:
            return
        if not self._lacking(record):
            return
        folder, wanted = self.store.folder(key), max(plan.protocol.samples for plan in self.plans)
        ask: dict[str, Any] = {}
        if record.spec.model_info.role == "model":
            present = (folder / record.samples.file).exists()
            if not present or (wanted > record.samples.n and not (folder / f"samples/final-{wanted}.npy").exists()):
                ask["samples"] = wanted
            if (images := self._images_to_score(record)) is not None:
                ask["images_file"] = images
        if not ask:
            self._ready.append(key)
            return
        job = InferenceJob(
            folder=folder, runtime=self.runtime, data_file=write_training_data(self.dataset), **ask
        )  # fmt: skip
        name = f"ask-{next(self._numbers)}-{key}"
        self._asking[name] = key
        self.engine.submit(
            Task(
                name=name,
                entry=inference.ENTRY,
                payload=job.model_dump(mode="json"),
                log=folder / "log.txt",
                resources=self.resources,
                reads=tuple(filter(None, (job.data_file, job.images_file))),
                folder=folder,
            ),
            first=True,
        )

    def _images_to_score(self, record: RunRecord) -> Path | None:
        """Return a file of the reference images whose likelihood is still to be asked for; None where there is none."""
        wanted = any("likelihood" in metric.needs for plan in self.plans for metric in plan.metrics)
        if not wanted or not record.spec.model_info.log_likelihood:
            return None
        images = likelihood_images(self.dataset, self.plans[0].protocol.split)
        sha256 = array_sha256(images)
        if answer_path(self.store.folder(record.key), "log_likelihood", sha256).exists():
            return None
        path = cache_folder("reference_images") / f"{sha256}.npy"
        if not path.exists():
            write_bytes(path, _npy(images))
        return path

    def _asked(self, key: str, end: Ended) -> Iterator[News]:
        record = self.store.read(key)
        reason = (
            str(end.last.data.get("reason", ""))
            or end.stalled
            or end.lost
            or f"its checkpoint could not be used: {end.log}"
        )
        if end.code and record is not None and record.samples is not None:
            if not (self.store.folder(key) / record.samples.file).exists():
                yield News(key, refused=reason)
                return
            self._note_likelihood(key, reason)
        self._ready.append(key)

    def _note_likelihood(self, key: str, reason: str) -> None:
        """Leave word why a model gave no likelihood, which the scorer shows beside the column that is blank."""
        images = likelihood_images(self.dataset, self.plans[0].protocol.split)
        path = answer_path(self.store.folder(key), "log_likelihood", array_sha256(images)).with_suffix(".txt")
        write_bytes(path, reason.encode())

    # Scoring.

    def _score(self) -> None:
        """Hand what is ready to a scoring worker: one at a time while models train, as many as there are slots after.

        While a time budget runs nothing is scored: it would take from the time that is measured.
        """
        if any(Budget.parse(job.spec.training.budget).seconds is not None for job in self._jobs.values()):
            return
        finished, self._finished = self._finished, []
        for key in finished:
            self._ask(key)
        if not self._ready or (self._jobs and self._scoring):
            return
        keys, self._ready = self._ready, []
        for plan in self.plans:
            for metrics, group in self._groups(keys, plan).items():
                parts = 1 if self._jobs else max(1, min(self.slots, len(group)))
                for part in range(parts):
                    self._submit(group[part::parts], plan, list(metrics))

    def _groups(self, keys: Sequence[str], plan: ScorePlan) -> dict[tuple[str, ...], list[str]]:
        """Return keys by the metrics that they lack under a plan."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for key in keys:
            record = self.store.read(key)
            if record is not None and (metrics := lacking(self.store, record, plan)):
                groups.setdefault(tuple(metrics), []).append(key)
        return groups

    def _lacking(self, record: RunRecord) -> bool:
        return any(lacking(self.store, record, plan) for plan in self.plans)

    def _submit(self, keys: list[str], plan: ScorePlan, metrics: list[str]) -> None:
        job = ScoreJob(
            store=self.store.root.absolute(), keys=keys, protocol=plan.protocol, metrics=metrics,
            headline=self.headline, items=list(plan.items), data_dir=self.data_dir, weights=plan.weights,
            device=self.runtime.device, threads=self.runtime.threads, command=self.command,
        )  # fmt: skip
        name = f"score-{next(self._numbers)}"
        self._scoring[name] = (list(keys), plan)
        log = self.store.root / ".scoring" / f"{name}.txt"
        self.engine.submit(
            Task(
                name=name, entry=scoring_worker.ENTRY, payload=job.model_dump(mode="json"), log=log,
                resources=self.resources,
            ),
            first=True,
        )  # fmt: skip

    def _scoring_ended(self, name: str, end: Ended) -> Iterator[News]:
        """Try runs that a worker left unscored one by one; a run that ends its worker alone has no scores.

        A worker that was lost, such as one that was cancelled, is not tried again but where memory was short.
        """
        keys, plan = self._scoring.pop(name)
        if not keys:
            end.task.log.unlink(missing_ok=True)
            return
        tail = end.log.strip().splitlines()
        reason = (
            end.stalled
            or end.lost
            or f"the scoring worker ended with status {end.code}: {tail[-1] if tail else 'no output'}"
        )
        if len(end.task.payload["keys"]) == 1 or (end.lost and not end.out_of_memory):
            for key in keys:
                yield News(key, refused=reason)
            return
        for key in keys:
            self._submit([key], plan, list(end.task.payload["metrics"]))


def lacking(store: Store, record: RunRecord, plan: ScorePlan) -> list[str]:
    """Return the metrics of a plan that a run's samples have no present score of, in the plan's order."""
    try:
        known = store.read_score(record.key, plan.protocol.key)
    except RequestError:
        known = None
    if known is None or not _of(known, record):
        return [metric.name for metric in plan.metrics]
    return known.lacks([metric.info for metric in plan.metrics])


def _files(job: TrainJob) -> tuple[Path, ...]:
    """Return the files that a training needs where it runs: its data, and its model where that is a file."""
    file, _, _ = job.spec.import_path.rpartition(":")
    return (job.data_file, *([Path(file)] if file.endswith(".py") else []))


def _of(score: ScoreRecord, record: RunRecord) -> bool:
    return record.samples is not None and score.samples_sha256 == record.samples.sha256


def _npy(array: np.ndarray) -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
