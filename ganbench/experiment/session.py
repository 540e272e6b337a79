"""The main job, whoever asks for it: plan, leave out what is done, execute, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ganbench.budget import Budget
from ganbench.engines.base import Engine, Event
from ganbench.engines.local import TIMEOUT, LocalEngine
from ganbench.errors import RequestError, did_you_mean
from ganbench.experiment.plan import find_track, identify, left_out, plan, repetitions, with_extractor, with_metrics
from ganbench.model import Model
from ganbench.registry.registry import Registry
from ganbench.store.run_record import Record, Status, TrackInfo
from ganbench.store.run_spec import Job, RuntimeConfig, Trial
from ganbench.store.store import Store, check_lockable
from ganbench.util.atomic_io import check_writable
from ganbench.util.device import pick_device, read_size, share_out


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench run``."""

    plugins: str | Sequence[str | type[Model]]
    track: str = "mnist5k-quick"
    seeds: str | int | None = None
    budget: str | None = None
    extractor: str | None = None
    metrics: str | None = None
    device: str = "auto"
    precision: str = "fp32"
    out: Path = Path("runs")
    settings: tuple[str, ...] = ()
    jobs: int | None = None
    data_dir: Path | None = None
    weights: Path | None = None
    baselines: bool = True
    rerun: bool = False
    retry: str | None = None
    threads: int | None = None
    timeout: str | None = None
    memory: str | None = None
    deterministic: bool = False
    checkpoint_seconds: float = 10.0
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A checked request: its trials, those that have records already, and where the others run.

    `notes` are sentences that the user must see, such as which damaged records were set aside.
    """

    info: TrackInfo
    trials: list[Trial]
    done: list[Record]
    waiting: list[Job]
    notes: list[str]
    setting: RuntimeConfig
    executor: Engine
    jobs: int
    precision: str
    out: Path

    def run(self, on_event: Callable[[Event], None] = lambda event: None) -> list[Record]:
        """Execute what waits and return a record for every trial, in the order of the plan."""
        records = {record.key: record for record in self.done}
        events = self.executor.run(self.waiting)
        try:
            for event in events:
                if event.record is not None:
                    records[event.record.key] = event.record
                on_event(event)
        finally:
            events.close()  # type: ignore[attr-defined]
        return [records[trial.key] for trial in self.trials]


def prepare(request: Request, registry: Registry) -> Session:
    """Check a request whole, before anything is trained."""
    device = pick_device(request.device)
    track = find_track(request.track, registry).with_budget(request.budget)
    track, weights = with_extractor(track, request.extractor, request.weights)
    track = with_metrics(track, request.metrics, registry)
    reps = repetitions(request.seeds, track)
    info = identify(track, registry, request.data_dir, weights)
    trials = plan(
        request.plugins, info, reps, registry,
        settings=request.settings, baselines=request.baselines, precision=request.precision,
    )  # fmt: skip
    again, timeout, memory = _retried(request), read_timeout(request.timeout), read_size(request.memory)
    if memory is not None and device != "cpu":
        raise RequestError(f"--memory {request.memory}: is of a trial on the CPU, and this is one on {device}")
    check_writable(request.out, "--out")
    check_lockable(request.out)
    jobs, threads = share_out(request.jobs, request.threads, len(trials), device)
    setting = RuntimeConfig(
        device=device,
        threads=threads,
        data_dir=request.data_dir,
        weights=weights,
        deterministic=request.deterministic,
        memory_bytes=memory,
        checkpoint_seconds=request.checkpoint_seconds,
        command=list(request.command),
    )
    done, waiting, notes = _divide(trials, Store(request.out), setting, again, anew=request.rerun)
    notes = left_out(request.plugins, registry) + notes
    jobs = max(1, min(jobs, len(waiting)))
    executor = LocalEngine(jobs, timeout)
    return Session(info, trials, done, waiting, notes, setting, executor, jobs, request.precision, request.out)


def _divide(
    trials: list[Trial], store: Store, setting: RuntimeConfig, again: frozenset[Status], *, anew: bool
) -> tuple[list[Record], list[Job], list[str]]:
    """Tell trials that have a record from those to be done; a record that cannot be trusted is set aside, and said."""
    done, waiting, notes = list[Record](), list[Job](), list[str]()
    for trial in trials:
        replaces = None
        try:
            if (kept := store.read(trial.key)) is not None:
                if not anew and kept.record.status not in again:
                    done.append(kept.record)
                    continue
                replaces = kept.sha256
        except RequestError as error:
            aside = store.set_aside(trial.key)
            notes.append(f"{error}; set aside as {aside.name}: its trial is done again")
        waiting.append(Job(trial=trial, setting=setting, folder=store.folder(trial.key), replaces=replaces, anew=anew))
    return done, waiting, notes


def _retried(request: Request) -> frozenset[Status]:
    """Read ``--retry``: how trials ended that are to be done again."""
    if request.retry is None:
        return frozenset()
    known = [status.value for status in Status if status is not Status.OK]
    names = [name.strip() for name in request.retry.split(",")]
    if names == ["all"]:
        return frozenset(map(Status, known))
    for name in names:
        if name not in known:
            raise RequestError(f"--retry {request.retry!r}: no trial ends as {name!r}{did_you_mean(name, known)}")
    return frozenset(map(Status, names))


def read_timeout(text: str | None) -> float:
    """Read ``--timeout``: seconds, or minutes as ``10m``."""
    if text is None:
        return TIMEOUT
    with suppress(RequestError):
        limit = Budget.parse(text if text.strip()[-1:].isalpha() else f"{text}s")
        if limit.seconds is not None and limit == Budget(seconds=limit.seconds):
            return limit.seconds
    raise RequestError(f"--timeout {text!r}: write seconds, minutes or hours: 90s, 10m, 2h")
