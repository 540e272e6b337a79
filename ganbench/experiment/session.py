"""The main job, whoever asks for it: check a request whole, leave out what is done, train, score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.budget import Budget
from ganbench.errors import RequestError, did_you_mean
from ganbench.experiment.engine import STALL_TIMEOUT, EngineChoice, choose_engine
from ganbench.experiment.execution import Execution, News, lacking
from ganbench.experiment.plan import left_out, many_seeds, plan, seed_indices
from ganbench.experiment.protocols import Protocols, resolve
from ganbench.experiment.settings_file import read_settings
from ganbench.model import Model
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.scoring.baselines import BASELINES, write_baselines
from ganbench.store.locks import check_lockable
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import RunSpec, RuntimeConfig, TrainJob
from ganbench.store.store import Store
from ganbench.tracks.track import Track
from ganbench.training.data_file import write_training_data
from ganbench.util.atomic_io import check_writable
from ganbench.util.device import read_size

PARTS = 8
"""Scoring tasks that runs are divided among where the engine decides how many work at a time."""


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench run``."""

    plugins: str | Sequence[str | type[Model]]
    track: str = "mnist5k-quick"
    seeds: str | int | None = None
    budget: str | None = None
    precision: str | None = None
    extractor: str | None = None
    metrics: str | None = None
    against: str = "test"
    device: str = "auto"
    engine: str = "local"
    engine_options: Mapping[str, str | None] = field(default_factory=dict)
    per_run: str | None = None
    runs: Path = Path("runs")
    settings: tuple[str, ...] = ()
    settings_file: Path | None = None
    jobs: int | None = None
    data_dir: Path | None = None
    weights: Path | None = None
    baselines: bool = True
    rerun: bool = False
    retry: str | None = None
    threads: int | None = None
    stall_timeout: str | None = None
    memory_limit: str | None = None
    deterministic: bool = False
    checkpoint_seconds: float = 10.0
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A checked request: its runs, those that are there already, what is to be trained and what to be scored.

    `baselines` are keys of the rows that calibrate the board. `notes` are sentences that the user must see.
    """

    protocols: Protocols
    specs: list[RunSpec]
    done: list[RunRecord]
    train: list[TrainJob]
    score: list[str]
    baselines: list[str]
    notes: list[str]
    runtime: RuntimeConfig
    jobs: int | None
    """How many runs at a time; None where the engine decides."""
    store: Store
    stall_timeout: float = STALL_TIMEOUT
    engine: EngineChoice = EngineChoice()
    left: list[str] = field(default_factory=list)
    """What goes on without this command where that is interrupted; filled by `run`."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why runs have no scores, by key; filled by `run`."""

    @property
    def labels(self) -> set[str]:
        """What was asked for: the labels of the models, and the baselines."""
        return {spec.model_info.label for spec in self.specs} | (set(BASELINES) if self.baselines else set())

    def run(self, on_news: Callable[[News], None] = lambda news: None) -> list[RunRecord]:
        """Train and score what is to be; return a record for every run that was asked for, in the order of the plan."""
        records = {record.key: record for record in self.done}
        if self.train or self.score:
            with self.engine.make(self.jobs, self.runtime, self.store.root, self.stall_timeout) as engine:
                execution = Execution(
                    engine, self.store, self.protocols.dataset, self.protocols.plans, self.protocols.track.headline,
                    self.runtime, data_dir=self.protocols.data_dir, slots=self.jobs or PARTS,
                    resources=self.engine.resources({}), command=self.runtime.command,
                )  # fmt: skip
                try:
                    for news in execution.run(self.train, self.score):
                        if news.record is not None:
                            records[news.record.key] = news.record
                        if news.refused:
                            self.refused[news.key] = news.refused
                        on_news(news)
                except BaseException:
                    self.left.extend(filter(None, [getattr(engine, "left", "")]))
                    raise
        return [records[spec.key] for spec in self.specs]


def track_of(request: Request, registry: Registry) -> Track:
    """Return the track that is asked for, with the budget and precision asked for."""
    if request.precision not in (None, "fp32", "bf16"):
        raise RequestError(f"--precision {request.precision!r}: write fp32 or bf16")
    track = find_track(request.track, registry).with_budget(request.budget)
    return track.with_precision(request.precision)  # type: ignore[arg-type]


def prepare(request: Request, registry: Registry) -> Session:
    """Check a request whole, before anything is trained; `RequestError` says what is wrong."""
    return prepare_on(track_of(request, registry), request, registry)


def prepare_on(track: Track, request: Request, registry: Registry) -> Session:
    """Check a request whole, on a track that may be none of the registered ones."""
    engine = choose_engine(
        request.engine, registry, device=request.device, jobs=request.jobs, threads=request.threads,
        per_run=request.per_run, options=request.engine_options,
    )  # fmt: skip
    device = engine.device
    found = read_settings(request.settings_file) if request.settings_file is not None else None
    if not math.isfinite(request.checkpoint_seconds):
        raise RequestError(f"--checkpoint-every {request.checkpoint_seconds}: write seconds, 0 for one after the other")
    indices = seed_indices(request.seeds, track)
    protocols = resolve(
        track, registry, data_dir=request.data_dir, weights=request.weights, metrics=request.metrics,
        extractors=request.extractor, against=request.against, device_kind=engine.kind,
    )  # fmt: skip
    specs = plan(request.plugins, protocols.training, indices, registry, settings=request.settings, found=found)
    again, stall_timeout = _retried(request), read_duration("--stall-timeout", request.stall_timeout, STALL_TIMEOUT)
    memory = read_size(request.memory_limit)
    if memory is not None and device != "cpu":
        raise RequestError(
            f"--memory-limit {request.memory_limit}: limits runs on the CPU, and these are on {device}: leave it out"
        )
    check_writable(request.runs, "--runs")
    check_lockable(request.runs)
    engine.check_timed(Budget.parse(protocols.training.budget))
    runtime = RuntimeConfig(
        device=device, threads=engine.threads, deterministic=request.deterministic,
        memory_limit=memory, checkpoint_seconds=request.checkpoint_seconds, command=list(request.command),
    )  # fmt: skip
    store = Store(request.runs)
    done, train, notes = _divide(specs, store, runtime, engine, protocols, again, restart=request.rerun)
    baselines = (
        write_baselines(protocols.dataset, track.samples, store, against=request.against, command=request.command)
        if request.baselines
        else []
    )
    score = [record.key for record in (*done, *baselines) if _unscored(record, store, protocols)]
    return Session(
        protocols=protocols, specs=specs, done=done, train=train, score=score,
        baselines=[record.key for record in baselines],
        notes=[*left_out(request.plugins, registry), *many_seeds(request.seeds), *notes],
        runtime=runtime, jobs=at_a_time(engine, len(train) + len(score)), store=store, stall_timeout=stall_timeout,
        engine=engine,
    )  # fmt: skip


def at_a_time(engine: EngineChoice, tasks: int) -> int | None:
    """Return how many of so many tasks are worked on at a time."""
    return None if engine.jobs is None else max(1, min(engine.jobs, tasks))


def _unscored(record: RunRecord, store: Store, protocols: Protocols) -> bool:
    return record.status is RunStatus.OK and any(lacking(store, record, each) for each in protocols.plans)


def _divide(
    specs: list[RunSpec], store: Store, runtime: RuntimeConfig, engine: EngineChoice, protocols: Protocols,
    again: frozenset[RunStatus], *, restart: bool,
) -> tuple[list[RunRecord], list[TrainJob], list[str]]:  # fmt: skip
    """Tell runs that have a record from those to be trained; a record that cannot be trusted is set aside, and said."""
    done, waiting, notes, track = list[RunRecord](), list[TrainJob](), list[str](), protocols.track
    data_file: Path | None = None
    for spec in specs:
        replaces = None
        try:
            if (kept := store.read_with_sha(spec.key)) is not None:
                if not restart and kept.record.status not in again:
                    done.append(kept.record)
                    continue
                replaces = kept.sha256
        except RequestError as error:
            aside = store.set_aside(spec.key)
            notes.append(f"{error}; set aside as {aside.name}: the run is trained again")
        data_file = data_file or write_training_data(protocols.dataset)
        waiting.append(
            TrainJob(
                spec=spec,
                runtime=runtime,
                folder=store.folder(spec.key).absolute(),
                data_file=data_file,
                samples=track.samples,
                curve_points=track.curve_points,
                curve_samples=track.curve_samples,
                resources=engine.resources(spec.resources, f"model {spec.model_info.name!r}: resources"),
                replaces=replaces,
                restart=restart,
            )  # fmt: skip
        )
    return done, waiting, notes


def _retried(request: Request) -> frozenset[RunStatus]:
    """Read ``--retry``: how runs ended that are to be trained again."""
    if request.retry is None:
        return frozenset()
    known = [status.value for status in RunStatus if status is not RunStatus.OK]
    names = [name.strip() for name in request.retry.split(",")]
    if names == ["all"]:
        return frozenset(map(RunStatus, known))
    for name in names:
        if name not in known:
            raise RequestError(f"--retry {request.retry!r}: unknown status {name!r}{did_you_mean(name, known)}")
    return frozenset(map(RunStatus, names))


def read_duration(option: str, text: str | None, default: float) -> float:
    """Read a duration: seconds, or minutes as ``10m``."""
    if text is None:
        return default
    with suppress(RequestError):
        limit = Budget.parse(text if text.strip()[-1:].isalpha() else f"{text}s")
        if limit.seconds is not None and limit == Budget(seconds=limit.seconds):
            return limit.seconds
    raise RequestError(f"{option} {text!r}: write seconds, minutes or hours: 90s, 10m, 2h")
