"""A recorded run trained again: whether that is possible here, as what it is trained, and how both compare.

It is possible where everything that its key is made of is here as recorded: the model's code, its hyper-parameters, the
training images, the training loop's version. Anything else would be another run, and is refused with all that differs.
Where the record has scores, the samples of both are scored under the same protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ganbench
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.experiment.engine import make_engine
from ganbench.experiment.execution import Execution, News
from ganbench.experiment.protocols import ScorePlan
from ganbench.metric import HEADLINE
from ganbench.model import Model
from ganbench.registry.import_path import import_path, load_file, resolve_known
from ganbench.registry.loading import entry_point_of
from ganbench.registry.lookup import load_dataset
from ganbench.registry.registry import Registry
from ganbench.registry.source_hash import source_hash
from ganbench.reproduction.compare import Comparison, Result, compare
from ganbench.store.layout import RUN
from ganbench.store.locks import check_lockable
from ganbench.store.lookup import find_run
from ganbench.store.run_record import RunRecord
from ganbench.store.run_spec import TRAINING_VERSION, RunSpec, RuntimeConfig, TrainJob
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store
from ganbench.tracks.track import NAME
from ganbench.training.data_file import write_training_data
from ganbench.training.hyperparameters import config_values, make_config
from ganbench.util.atomic_io import check_writable
from ganbench.util.device import pick_device, share_out
from ganbench.util.text import one_line


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench reproduce``. None of device and threads is: as recorded."""

    record: str
    out: Path = Path("reproduced")
    runs: Path = Path("runs")
    published: Path = Path("leaderboards")
    data_dir: Path | None = None
    weights: Path | None = None
    device: str | None = None
    threads: int | None = None
    plugin: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """A checked request: the recorded run and where it lies, its row, and the job that trains it again."""

    path: Path
    recorded: Result
    row: list[Result]
    job: TrainJob
    plan: ScorePlan | None
    headline: str
    dataset: Dataset
    store: Store
    notes: list[str]
    data_dir: Path | None

    def run(self, on_news: Callable[[News], None] = lambda news: None) -> Comparison:
        """Train the run again, score its samples as the record's were, and compare."""
        plans = [self.plan] if self.plan else []
        with make_engine(1, self.job.runtime) as engine:
            execution = Execution(
                engine, self.store, self.dataset, plans, self.headline, self.job.runtime, data_dir=self.data_dir,
                command=self.job.runtime.command,
            )  # fmt: skip
            for news in execution.run([self.job], []):
                on_news(news)
        key = self.job.spec.key
        record = self.store.read(key)
        assert record is not None
        again = Result(record, _score(self.store, key, self.plan.protocol.key) if self.plan else None)
        where = self.store.folder(key) / RUN
        return compare(self.recorded, self.path, again, where, self.row, self.headline)


def prepare(request: Request, registry: Registry) -> Reproduction:
    """Check a request whole, before anything is trained.

    Raises `RequestError` where the record cannot be found or trusted, where anything that its key is made of is not
    here as recorded, and for a wrong option.
    """
    path, record = find_run(request.record, request.runs, request.published)
    store = Store(request.out)
    if not NAME.fullmatch(record.key):  # it becomes a folder's name: it must not lead out of the store
        raise RequestError(f"record {path}: key {record.key!r} cannot be the name of a folder")
    if record.spec.model_info.role != "model":
        raise RequestError(f"record {path}: {record.spec.model_info.name} is a baseline, which is not trained")
    if request.out.resolve() == request.runs.resolve() or store.folder(record.key).resolve() == path.parent.resolve():
        raise RequestError(f"--out {request.out}: is where records to be reproduced lie: name another folder")
    if request.weights is not None and not request.weights.is_file():
        raise RequestError(f"--weights {request.weights}: there is no such file")
    if request.device is not None:
        pick_device(request.device)
    share_out(None, request.threads, "cpu")  # which refuses a wrong number
    spec, dataset = _spec(path, record, request, registry)
    notes, runtime = list[str](), _runtime(record, request)
    if request.device is None and runtime.device.startswith("cuda") != _on_gpu(record):
        device = one_line(str(record.provenance.get("device")), 80)
        notes.append(f"it was recorded on {device}, and there is none here: on {runtime.device}")
    check_writable(request.out, "--out")
    check_lockable(request.out)
    replaces = None
    try:
        if (kept := store.read_with_sha(record.key)) is not None:
            replaces = kept.sha256
    except RequestError as error:
        notes.append(f"{error}; set aside as {store.set_aside(record.key).name}")
    scores = Store(path.parent.parent)
    score = next(iter(scores.scores(record.key).records), None)
    plan = None if score is None else _plan(score, request, registry, notes)
    samples = record.samples.n if record.samples else (score.protocol.samples if score else 1000)
    curve = [point.samples.n for point in record.curve if point.samples]
    job = TrainJob(
        spec=spec, runtime=runtime, folder=store.folder(record.key).absolute(),
        data_file=write_training_data(dataset), samples=samples, curve_points=max(1, len(record.curve)),
        curve_samples=min([*curve, samples]), replaces=replaces,
        # What ended is trained from the first step; what was interrupted has no record, and goes on.
        restart=replaces is not None,
    )  # fmt: skip
    recorded = Result(record, score if plan else None)
    row = _row(recorded, scores)
    return Reproduction(
        path, recorded, row, job, plan, _headline(score), dataset, store, notes, request.data_dir
    )  # fmt: skip


def _headline(score: ScoreRecord | None) -> str:
    """Return the metric that decides: FID, or the first of which less is better."""
    infos = score.metric_info if score else {}
    if HEADLINE.name in infos:
        return HEADLINE.name
    return next((name for name, info in infos.items() if info.direction == "lower"), HEADLINE.name)


def _score(store: Store, key: str, protocol: str) -> ScoreRecord | None:
    return store.read_score(key, protocol) if protocol else None


def _spec(path: Path, record: RunRecord, request: Request, registry: Registry) -> tuple[RunSpec, Dataset]:
    """Return the record's run as it is trained here, and its data set; `RequestError` names all that differs."""
    here: list[_Here] = []
    data: list[Dataset] = []
    differences = [
        *_model(record, request, registry, here),
        *_training_data(record, request, registry, data),
        *_key(record),
    ]
    if not differences:
        info = record.spec.model_info.model_copy(update={"distribution": here[0].distribution})
        spec = record.spec.model_copy(update={"model_info": info, "import_path": here[0].import_path})
        assert spec.key == record.key
        return spec, data[0]
    then = dict.fromkeys(
        (record.spec.model_info.distribution, f"ganbench {record.provenance.get('ganbench', 'unknown')}")
    )
    now = dict.fromkeys((*(found.distribution for found in here), f"ganbench {ganbench.__version__}"))
    raise RequestError(
        f"record {path}: cannot be reproduced: {'; '.join(one_line(each) for each in differences)} "
        f"(recorded with {one_line(', '.join(then), 200)}; here is {', '.join(now)})"
    )


@dataclass(frozen=True)
class _Here:
    """The model as it is here."""

    model: type[Model]
    import_path: str
    distribution: str


def _model(record: RunRecord, request: Request, registry: Registry, here: list[_Here]) -> Iterator[str]:
    """Yield in what the model is another one than recorded; put the model into `here` where there is one."""
    info = record.spec.model_info
    try:
        found = _find(record, request.plugin, registry)
    except RequestError as error:
        yield f"model {info.name!r} of {info.distribution} is not here ({error})"
        return
    here.append(found)
    if found.model.version != info.version:
        yield f"model {info.name!r} is version {found.model.version!r}, recorded {info.version!r}"
    if (source := source_hash(found.model)) != info.source:
        yield f"model {info.name!r} has source {_short(source)}, recorded {_short(info.source)}"
    config = record.spec.config
    try:
        values = config_values(make_config(found.model, config))
    except RequestError as error:
        yield f"its hyper-parameters are not valid here: {error}"
        return
    if others := sorted(name for name in values.keys() | config if values.get(name) != config.get(name)):
        yield f"its hyper-parameters read otherwise here: {', '.join(others)}"


def _find(record: RunRecord, plugin: str | None, registry: Registry) -> _Here:
    """Return the record's model: of the file that was named, of an installed plugin, or of a file known here."""
    name, recorded = record.spec.model_info.name, record.spec.import_path
    entry = None if plugin is None else load_file(plugin, registry)
    if entry is not None and entry.name != name:
        raise RequestError(f"--plugin {plugin}: is model {entry.name!r}")
    if entry is None and registry.has("models", name):
        entry = registry.get("models", name)
    if entry is not None:
        distribution = f"{entry.origin.distribution} {entry.origin.version}".strip()
        return _Here(entry.thing, import_path(entry.thing, entry.origin), distribution)
    of_file = recorded.rpartition(":")[0].endswith(".py")
    try:
        # A record may be a stranger's: its path is followed only to what was named, or may run, here anyway.
        model = resolve_known(recorded)
    except Exception as error:  # what a module raises when imported may be anything
        if of_file:
            why = "it is not there any more, or was never run here"
            raise RequestError(f"{recorded}: {why}: name its present file with --plugin FILE.py:Class") from error
        registry.get("models", name)  # raises, and knows more: a broken plugin, one left out, a similar name
        raise RequestError(str(error)) from error
    if model.name != name:
        raise RequestError(f"{recorded}: is model {model.name!r} now")
    return _Here(model, recorded, record.spec.model_info.distribution)


def _training_data(record: RunRecord, request: Request, registry: Registry, data: list[Dataset]) -> Iterator[str]:
    training = record.spec.training
    try:
        dataset = load_dataset(training.dataset, registry, request.data_dir)
    except RequestError as error:
        yield f"data set {training.dataset!r} is not here ({error})"
        return
    data.append(dataset)
    if dataset.train_sha256 != training.train_sha256:
        yield (
            f"training images of {training.dataset!r} have sha256 {_short(dataset.train_sha256)}, "
            f"recorded {_short(training.train_sha256)}"
        )


def _key(record: RunRecord) -> Iterator[str]:
    if record.spec.key != record.key:
        yield (
            f"training version {TRAINING_VERSION} of this ganbench gives what it says of itself key "
            f"{_short(record.spec.key)}, recorded {_short(record.key)}"
        )


def _plan(score: ScoreRecord, request: Request, registry: Registry, notes: list[str]) -> ScorePlan | None:
    """Return the score record's protocol as a plan; None, and a note, where it cannot be followed here."""
    try:
        return score_plan(score, request.weights, registry)
    except RequestError as error:
        notes.append(f"samples are compared, scores are not: {error}")
        return None


def score_plan(score: ScoreRecord, weights: Path | None, registry: Registry) -> ScorePlan:
    """Return the plan by which a score record was made; `RequestError` where its extractor or metrics are not here."""
    protocol = score.protocol
    extractor = registry.get("extractors", protocol.extractor)
    if (found := extractor.thing.identity(weights)) != protocol.extractor_sha256:
        raise RequestError(
            f"extractor {protocol.extractor!r} has sha256 {_short(found)}, recorded {_short(protocol.extractor_sha256)}"
        )
    entries = [("extractors", extractor), ("datasets", registry.get("datasets", protocol.dataset))]
    metrics = []
    for name, info in score.metric_info.items():
        entry = registry.get("metrics", name)
        if entry.thing.version != info.version:
            raise RequestError(f"metric {name!r} is version {entry.thing.version}, recorded {info.version}")
        metrics.append(entry.thing)
        entries.append(("metrics", entry))
    items = tuple((kind, entry.name, entry_point_of(entry)) for kind, entry in entries)
    return ScorePlan(protocol, tuple(metrics), weights, items)


def _short(sha256: str) -> str:
    """Return the first 12 letters, and what an extractor's identity says after its hash."""
    return sha256[:12] + "".join(sha256.partition("/")[1:])


def _on_gpu(record: RunRecord) -> bool:
    return record.provenance.get("device") not in (None, "cpu")


def _runtime(record: RunRecord, request: Request) -> RuntimeConfig:
    """Return how the run is trained: on the device, with the threads and flags of the record where they are here."""
    known: dict[str, Any] = record.provenance
    as_recorded = "cpu" if known.get("device") == "cpu" else "auto"  # which falls back to the CPU
    device = pick_device(request.device or as_recorded)
    threads = known.get("threads")
    threads = threads if isinstance(threads, int) and threads > 0 else None
    _, threads = share_out(1, request.threads or threads, device)
    return RuntimeConfig(
        device=device, threads=threads, deterministic=known.get("deterministic") is True,
        command=list(request.command),
    )  # fmt: skip


def _row(recorded: Result, store: Store) -> list[Result]:
    """Return one result a seed of the record's row: runs of the same label, code and training protocol beside it."""
    mine = recorded.run
    protocol = recorded.score.key if recorded.score else ""
    seeds = {mine.spec.seed: recorded}
    for key in store.keys():
        try:
            run = store.read(key)
        except RequestError:
            continue
        if run is not None and run.row == mine.row and run.spec.training == mine.spec.training:
            seeds.setdefault(run.spec.seed, Result(run, _score(store, key, protocol)))
    return list(seeds.values())
