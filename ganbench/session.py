"""The main job, whoever asks for it: plan, leave out what is done, execute, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.executors.base import Event, Executor
from ganbench.executors.local import LocalExecutor
from ganbench.executors.resources import pick_device, share_out
from ganbench.files import check_writable
from ganbench.model import Model
from ganbench.registry import Registry
from ganbench.training.precision import resolve_precision
from ganbench.trials.plan import find_track, identify, plan, repetitions, with_extractor, with_metrics
from ganbench.trials.record import Record, TrackInfo, read_record
from ganbench.trials.trial import Setting, Trial


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
    precision: str = "auto"
    out: Path = Path("runs")
    settings: tuple[str, ...] = ()
    jobs: int | None = None
    data_dir: Path | None = None
    weights: Path | None = None
    baselines: bool = True
    rerun: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A checked request: its trials, those that have records already, and where the others run."""

    info: TrackInfo
    trials: list[Trial]
    done: list[Record]
    setting: Setting
    executor: Executor
    jobs: int
    precision: str
    out: Path

    @property
    def waiting(self) -> list[Trial]:
        finished = {record.key for record in self.done}
        return [trial for trial in self.trials if trial.key not in finished]

    def run(self, on_event: Callable[[Event], None] = lambda event: None) -> list[Record]:
        """Execute what waits and return a record for every trial, in the order of the plan."""
        records = {record.key: record for record in self.done}
        events = self.executor.run(self.waiting, self.setting, self.out)
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
    import torch

    device = pick_device(request.device)
    track = find_track(request.track, registry).with_budget(request.budget)
    track, weights = with_extractor(track, request.extractor, request.weights)
    track = with_metrics(track, request.metrics, registry)
    reps = repetitions(request.seeds, track)
    info = identify(track, registry, request.data_dir, weights)
    precision = resolve_precision(request.precision, torch.device(device))
    trials = plan(
        request.plugins, info, reps, registry,
        settings=request.settings, baselines=request.baselines, precision=precision,
    )  # fmt: skip
    check_writable(request.out, "--out")
    done = [] if request.rerun else _records_of(trials, request.out)
    jobs, threads = share_out(request.jobs, len(trials) - len(done), device)
    setting = Setting(
        device=device,
        threads=threads,
        data_dir=request.data_dir,
        weights=weights,
        command=list(request.command),
    )
    return Session(info, trials, done, setting, LocalExecutor(jobs), jobs, precision, request.out)


def _records_of(trials: list[Trial], out: Path) -> list[Record]:
    found = []
    for trial in trials:
        path = out / trial.key / "record.json"
        if path.exists():
            try:
                found.append(read_record(path))
            except RequestError:
                continue  # a damaged record is no record: its trial runs again and writes a whole one
    return found
