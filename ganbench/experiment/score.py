"""``ganbench score``: metrics and extractors added to runs that are there already; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.budget import Budget
from ganbench.errors import RequestError
from ganbench.experiment.engine import EngineChoice, choose_engine
from ganbench.experiment.execution import lacking
from ganbench.experiment.protocols import resolve
from ganbench.experiment.session import Session, at_a_time
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.scoring.baselines import write_baselines
from ganbench.store.locks import check_lockable
from ganbench.store.lookup import find_folder
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import RuntimeConfig, TrainingProtocol
from ganbench.store.store import Store
from ganbench.tracks.track import Track


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench score``. Without keys all runs that the track compares."""

    keys: tuple[str, ...] = ()
    track: str | None = None
    metrics: str | None = None
    extractor: str | None = None
    against: str = "test"
    device: str = "auto"
    engine: str = "local"
    engine_options: Mapping[str, str | None] = field(default_factory=dict)
    per_run: str | None = None
    runs: Path = Path("runs")
    jobs: int | None = None
    threads: int | None = None
    data_dir: Path | None = None
    weights: Path | None = None
    command: tuple[str, ...] = ()


def prepare(request: Request, registry: Registry, note: Callable[[str], None] = lambda sentence: None) -> list[Session]:
    """Return one session for each track whose runs are to be scored; `RequestError` says what is wrong.

    `note` is called with each run that is left out.
    """
    store = Store(request.runs)
    records = [_named(key, store) for key in request.keys] or _all(store, note)
    if not records:
        raise RequestError(f"--runs {request.runs}: no run with samples: `ganbench run` makes some")
    check_lockable(request.runs)
    engine = choose_engine(
        request.engine, registry, device=request.device, jobs=request.jobs, threads=request.threads,
        per_run=request.per_run, options=request.engine_options,
    )  # fmt: skip
    by_track: dict[str, tuple[Track, list[RunRecord]]] = {}
    for record in records:
        track = _track(record, request, registry)
        if track is None:
            if request.keys:
                raise RequestError(f"{record.key}: no track has its data set and budget: name a track with --track")
            note(f"{record.key} ({record.spec.model_info.label}): no track has its data set and budget: left out")
            continue
        by_track.setdefault(track.name, (track, []))[1].append(record)
    if not by_track:
        raise RequestError(f"--runs {request.runs}: no run fits a track: name a track with --track")
    return [_session(track, group, request, engine, registry, store) for track, group in by_track.values()]


def _session(
    track: Track, records: Sequence[RunRecord], request: Request, engine: EngineChoice, registry: Registry, store: Store
) -> Session:
    protocols = resolve(
        track, registry, data_dir=request.data_dir, weights=request.weights, metrics=request.metrics,
        extractors=request.extractor, against=request.against,
    )  # fmt: skip
    for record in records:
        if record.spec.training.train_sha256 != protocols.training.train_sha256:
            raise RequestError(
                f"{record.key}: was trained on {record.spec.training.dataset} with other content than {track.dataset}"
            )
    runtime = RuntimeConfig(device=engine.device, threads=engine.threads, command=list(request.command))
    baselines = (
        []
        if request.keys
        else write_baselines(protocols.dataset, track.samples, store, against=request.against, command=request.command)
    )
    todo = [each.key for each in (*records, *baselines) if any(lacking(store, each, plan) for plan in protocols.plans)]
    return Session(
        protocols=protocols, specs=[record.spec for record in records], done=list(records), train=[], score=todo,
        baselines=[each.key for each in baselines], notes=[], runtime=runtime, jobs=at_a_time(engine, len(todo)),
        store=store, engine=engine,
    )  # fmt: skip


def _named(key: str, store: Store) -> RunRecord:
    folder = find_folder(key, store.root)
    record = Store(folder.parent).read(folder.name)
    if record is None or record.samples is None:
        raise RequestError(f"{key}: has no samples: {'it did not end well' if record else 'it is not finished'}")
    if folder.parent.resolve() != store.root.resolve():
        raise RequestError(f"{key}: is in {folder.parent}: name that folder with --runs")
    return record


def _all(store: Store, note: Callable[[str], None]) -> list[RunRecord]:
    found = []
    for key in store.keys():
        try:
            record = store.read(key)
        except RequestError as error:
            note(str(error))
            continue
        if record is not None and record.status is RunStatus.OK and record.spec.model_info.role == "model":
            found.append(record)
    return found


def _track(record: RunRecord, request: Request, registry: Registry) -> Track | None:
    """Return the track that a run is scored on: the one named, else that of its protocol."""
    if request.track is not None:
        return find_track(request.track, registry)
    return track_of(record.spec.training, registry)


def track_of(training: TrainingProtocol, registry: Registry) -> Track | None:
    """Return the first track with the data set, budget and precision of a run, else the data set's with that budget."""
    tracks = [entry.thing for entry in registry.all("tracks") if entry.thing.dataset == training.dataset]
    for track in tracks:
        if str(Budget.parse(track.budget)) == training.budget and track.precision == training.precision:
            return track  # type: ignore[no-any-return]
    if not tracks:
        return None
    track = tracks[0].with_budget(training.budget or None)
    return track.with_precision(training.precision)  # type: ignore[no-any-return]
