"""A search: the same number of runs for every model, in rounds, each run an ordinary one on the validation split.

Every trial is a run of the store (or one a seed), so what was trained is never trained again, and a search that is
interrupted goes on with the same command. Only the metric that ranks the track is computed, at the end of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.boards.estimate import estimate
from ganbench.errors import RequestError
from ganbench.experiment.engine import EngineChoice, choose_engine
from ganbench.experiment.execution import News
from ganbench.experiment.plan import Variant, choose, lacking, left_out, seed_indices
from ganbench.experiment.protocols import Protocols, resolve
from ganbench.experiment.session import Request as RunRequest
from ganbench.experiment.session import Session, prepare_on, track_of
from ganbench.experiment.settings_file import ModelSettings, Settings, best_of, read_settings
from ganbench.metric import Score
from ganbench.model import Model
from ganbench.registry.registry import Registry
from ganbench.registry.source_hash import source_hash
from ganbench.search_space import search_space
from ganbench.store.clean import clean
from ganbench.store.locks import check_lockable, locked
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.tracks.track import Track
from ganbench.tuning.study import Study, Trial
from ganbench.util.atomic_io import check_writable

FIRST_SEED = 100
"""Boards report seeds below it."""
JOURNAL = "optuna.log"
MOST_RUNS = 1000


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench tune``."""

    plugins: str
    runs_each: int = 20
    track: str = "mnist5k-quick"
    seeds: str = f"{FIRST_SEED}-{FIRST_SEED}"
    budget: str | None = None
    precision: str | None = None
    device: str = "auto"
    engine: str = "local"
    engine_options: Mapping[str, str | None] = field(default_factory=dict)
    per_run: str | None = None
    settings: tuple[str, ...] = ()
    runs: Path = Path("tuning")
    out: Path | None = None
    jobs: int | None = None
    threads: int | None = None
    data_dir: Path | None = None
    stall_timeout: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A trial that has just ended, of which number, with the best value of its model so far."""

    study: Study
    trial: Trial
    number: int
    value: float | None
    best: float | None
    seconds: float
    status: str


@dataclass
class Search:
    """A checked request: one study a model, and where the settings go."""

    request: Request
    registry: Registry
    track: Track
    protocols: Protocols
    studies: list[Study]
    out: Path
    engine: EngineChoice
    notes: list[str]
    kept: Settings | None = None
    """What the file holds already."""
    going_on: list[str] = field(default_factory=list)
    """What goes on without this command where that is interrupted."""

    @property
    def left(self) -> int:
        """Runs that are still to be made, over all models."""
        return sum(self._left(study) for study in self.studies)

    def _left(self, study: Study) -> int:
        return max(0, self.request.runs_each - len(study.finished()))

    def run(self, on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> Settings:
        """Make all runs that are left, and return the settings; their file is written whatever ends the search."""
        with _only_search(self.request.runs):
            try:
                while todo := [study for study in self.studies if self._left(study)]:
                    each = max(1, (self.engine.jobs or len(todo)) // len(todo))
                    self._round([(study, trial) for study in todo for trial in self._next(study, each)], on_outcome)
            finally:
                settings = self._write()
            return settings

    def _next(self, study: Study, count: int) -> list[Trial]:
        """Return trials left behind by a search that was interrupted, then new ones, `count` in all at most."""
        count = min(count, self._left(study))
        pending = study.pending()[:count]
        return pending + study.ask(count - len(pending))

    def _round(self, trials: list[tuple[Study, Trial]], on_outcome: Callable[[Outcome], None]) -> None:
        """Train and score trials, and tell each study how its own ended as soon as all seeds of it have."""
        request = self.request
        session = prepare_on(
            self.track,
            RunRequest(
                plugins=[study.text(trial) for study, trial in trials], seeds=request.seeds, against="validation",
                device=request.device, engine=request.engine, engine_options=request.engine_options,
                per_run=request.per_run, runs=request.runs, jobs=request.jobs, threads=request.threads,
                data_dir=request.data_dir, baselines=False, stall_timeout=request.stall_timeout,
                command=request.command,
            ),
            self.registry,
        )  # fmt: skip
        keys: dict[str, list[str]] = {}
        for spec in session.specs:
            keys.setdefault(spec.model_info.label, []).append(spec.key)
        waiting = list(trials)
        ended = {record.key: record for record in session.done}
        scored = set(ended) - set(session.score)

        def tell_those_that_ended() -> None:
            for item in list(waiting):
                own = keys[item[1].label]
                if all(key in scored or (key in ended and ended[key].status is not RunStatus.OK) for key in own):
                    waiting.remove(item)
                    on_outcome(self._tell(*item, [ended[key] for key in own], session))

        def take(news: News) -> None:
            if news.record is not None:
                ended[news.key] = news.record
            if news.scored or news.refused:
                scored.add(news.key)
            tell_those_that_ended()

        tell_those_that_ended()
        try:
            session.run(take)
        finally:
            self.going_on += session.left
        tell_those_that_ended()
        for _ in clean(session.store, list(ended), curves=True):
            pass

    def _tell(self, study: Study, trial: Trial, records: list[RunRecord], session: Session) -> Outcome:
        scores = [score for record in records if (score := self._score(record, session)) is not None]
        found = estimate(scores, session.protocols.board.headline)
        value = found.mean if found is not None and len(scores) == len(records) else None
        bad = next((record.status.value for record in records if record.status is not RunStatus.OK), "not scored")
        status, seconds = "ok" if value is not None else bad, sum(each.seconds.get("train", 0.0) for each in records)
        study.tell(trial, value, seconds, status)
        tried = study.finished()
        best = best_of(tried)
        return Outcome(study, trial, len(tried), value, best.value if best else None, seconds, status)

    def _score(self, record: RunRecord, session: Session) -> Score | None:
        found = session.store.read_score(record.key, session.protocols.scoring.key)
        return found.metrics.get(self.track.headline) if record.status is RunStatus.OK and found is not None else None

    def _write(self) -> Settings:
        """Write what was found beside what the file holds of other models."""
        found = {study.label: _settings(study) for study in self.studies}
        kept = self.kept.models if self.kept else {}
        settings = _head(self).model_copy(update={"models": dict(sorted((kept | found).items()))})
        settings.write(self.out)
        return settings


def prepare(request: Request, registry: Registry) -> Search:
    """Check a request whole, before anything is trained; `RequestError` says what is wrong."""
    if not 1 <= request.runs_each <= MOST_RUNS:
        raise RequestError(f"--runs-each {request.runs_each}: between 1 and {MOST_RUNS:,}")
    track = track_of(RunRequest(request.plugins, request.track, budget=request.budget, precision=request.precision), registry)  # fmt: skip  # noqa: E501
    indices = seed_indices(request.seeds, track)
    if indices[0] < FIRST_SEED:
        raise RequestError(
            f"--seeds {request.seeds}: seeds {indices[0]} to {indices[-1]}, and boards report those below {FIRST_SEED}:"
            f" tune on others, such as {FIRST_SEED}-{FIRST_SEED} or {FIRST_SEED}-{FIRST_SEED + 2}"
        )
    # One point of the curve, the last, and one metric: what is told to the studies.
    track = track.model_copy(update={"metrics": (track.headline,), "curve_points": 1})
    engine = choose_engine(
        request.engine, registry, device=request.device, jobs=request.jobs, threads=request.threads,
        per_run=request.per_run, options=request.engine_options,
    )  # fmt: skip
    protocols = resolve(track, registry, data_dir=request.data_dir, against="validation", device_kind=engine.kind)
    check_writable(request.runs, "--runs")
    check_lockable(request.runs)
    training, scoring = protocols.training, protocols.scoring
    protocol = (
        training.train_sha256, training.budget, training.precision, training.device, scoring.key, request.seeds
    )  # fmt: skip
    notes, studies = left_out(request.plugins, registry), dict[str, Study]()
    for variant in choose(request.plugins, registry, request.settings):
        study = _study(variant, protocol, request.runs / JOURNAL)
        if study.spaces:
            studies.setdefault(study.label, study)
        else:
            notes.append(f"left out {study.label}: its Config declares no search space")
    if not studies:
        raise RequestError(f"--plugins {request.plugins}: no hyper-parameter of it has a search space")
    out = request.out or request.runs / f"{track.name}.json"
    check_writable(out.parent, "--out")
    search = Search(request, registry, track, protocols, list(studies.values()), out, engine, notes)
    if out.exists():
        known = read_settings(out)
        if not known.same_search(_head(search)):
            raise RequestError(f"--out {out}: holds settings found in another way (track, budget, seeds): name another")
        search.kept = known
    return search


def _study(variant: Variant, protocol: tuple[str, ...], journal: Path) -> Study:
    model: type[Model] = variant.entry.thing
    if sentence := lacking(model):
        raise RequestError(f"model {sentence}")
    try:
        spaces = search_space(model.Config)
    except RequestError as error:
        raise RequestError(f"model {model.name!r}: {error}") from error
    spaces = {name: space for name, space in spaces.items() if name not in variant.given}
    identity = (*protocol, model.version, source_hash(model))
    return Study(model, variant.plugin, variant.given, spaces, identity, journal)


def _head(search: Search) -> Settings:
    """Return a settings file without models: how they are found."""
    training, track = search.protocols.training, search.track
    return Settings(
        track=track.name, budget=training.budget, dataset=training.dataset, train_sha256=training.train_sha256,
        split="validation", seeds=tuple(seed_indices(search.request.seeds, track)), metric=track.headline,
    )  # fmt: skip


def _settings(study: Study) -> ModelSettings:
    tried = tuple(study.finished())
    best = best_of(tried)
    return ModelSettings(params=best.params if best else study.fixed, source=source_hash(study.model), tried=tried)


@contextmanager
def _only_search(folder: Path) -> Iterator[None]:
    """Hold a folder against a second search: both would take up the trials that an interrupted one left."""
    place = folder / ".search"
    place.mkdir(parents=True, exist_ok=True)
    with locked(place) as mine:
        if not mine:
            raise RequestError(f"--runs {folder}: another `ganbench tune` is at work there: wait, or name another")
        yield
