"""A published trial done again: whether that is possible here, as what it is trained, and what came of it.

It is possible where everything that a key is made of is here as recorded: the model's source, its hyper-parameters,
data set, extractor, metrics, protocol. Anything else would be another trial, and is refused with all that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ganbench
from ganbench.boards.collect import records_folder
from ganbench.engines.base import Event
from ganbench.engines.local import LocalEngine
from ganbench.errors import RequestError
from ganbench.experiment.plan import load_dataset
from ganbench.experiment.session import Session
from ganbench.model import Model
from ganbench.registry.import_path import address, load_file, resolve_known, source_hash
from ganbench.registry.registry import Registry
from ganbench.reproduction.compare import Comparison, compare
from ganbench.store.lookup import find_record
from ganbench.store.run_record import Record, make_key, read_record
from ganbench.store.run_spec import Job, RuntimeConfig, Trial
from ganbench.store.store import RECORD, Store, check_lockable
from ganbench.tracks.track import NAME, PROTOCOL
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
    boards: Path = Path("leaderboards")
    data_dir: Path | None = None
    weights: Path | None = None
    device: str | None = None
    threads: int | None = None
    plugin: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """A checked request: the record and where it lies, the records of its row, and the session that trains it again."""

    path: Path
    record: Record
    row: list[Record]
    session: Session

    def run(self, on_event: Callable[[Event], None] = lambda event: None) -> Comparison:
        """Train the trial again, write its record, and compare."""
        (again,) = self.session.run(on_event)
        where = Store(self.session.out).folder(again.key) / RECORD
        return compare(self.record, self.path, again, where, self.row)


@dataclass(frozen=True)
class _Here:
    """The model as it is here."""

    model: type[Model]
    address: str
    distribution: str


def prepare(request: Request, registry: Registry) -> Reproduction:
    """Check a request whole, before anything is trained.

    Raises `RequestError` where the record cannot be found or trusted, where anything that its key is made of is not
    here as recorded, and for a wrong option.
    """
    path, record = find_record(request.record, request.runs, request.boards)
    store = Store(request.out)
    if not NAME.fullmatch(record.key):  # it becomes a folder's name: it must not lead out of the store
        raise RequestError(f"record {path}: key {record.key!r} cannot be the name of a folder")
    if request.out.resolve() == request.runs.resolve() or store.folder(record.key).resolve() == path.parent.resolve():
        raise RequestError(f"--out {request.out}: is where records to be reproduced lie: name another folder")
    if request.weights is not None and not request.weights.is_file():
        raise RequestError(f"--weights {request.weights}: there is no such file")
    if request.device is not None:
        pick_device(request.device)
    share_out(None, request.threads, 1, "cpu")  # which refuses a wrong number
    trial = _trial(path, record, request, registry)
    notes, setting = list[str](), _setting(record, request)
    if request.device is None and setting.device.startswith("cuda") != _on_gpu(record):
        device = one_line(str(record.provenance.get("device")), 80)
        notes.append(f"it was recorded on {device}, and there is none here: on {setting.device}")
    check_writable(request.out, "--out")
    check_lockable(request.out)
    replaces = None
    try:
        if (kept := store.read(record.key)) is not None:
            replaces = kept.sha256
    except RequestError as error:
        notes.append(f"{error}; set aside as {store.set_aside(record.key).name}")
    # What ended is done from the first step; what was interrupted has no record, and goes on.
    job = Job(
        trial=trial, setting=setting, folder=store.folder(record.key), replaces=replaces, anew=replaces is not None
    )
    session = Session(
        info=record.track, trials=[trial], done=[], waiting=[job], notes=notes, setting=setting,
        executor=LocalEngine(1), jobs=1, precision=record.precision, out=request.out,
    )  # fmt: skip
    return Reproduction(path, record, _row(record, path, request.boards), session)


def _trial(path: Path, record: Record, request: Request, registry: Registry) -> Trial:
    """Return the record's trial as it is to be done here; raise `RequestError` that names all that differs."""
    here: list[_Here] = []
    differences = [
        *_model(record, request, registry, here),
        *_content(record, request, registry),
        *_protocol(record),
    ]
    if not differences:
        about = record.about.model_copy(update={"distribution": here[0].distribution})
        trial = Trial(
            about=about, address=here[0].address, config=record.config, track=record.track,
            repetition=record.repetition, seed=record.seed, precision=record.precision,
        )  # fmt: skip
        assert trial.key == record.key
        return trial
    then = dict.fromkeys((record.about.distribution, f"ganbench {record.provenance.get('ganbench', 'unknown')}"))
    now = dict.fromkeys((*(found.distribution for found in here), f"ganbench {ganbench.__version__}"))
    raise RequestError(
        f"record {path}: cannot be reproduced: {'; '.join(one_line(each) for each in differences)} "
        f"(recorded with {one_line(', '.join(then), 200)}; here is {', '.join(now)})"
    )


def _model(record: Record, request: Request, registry: Registry, here: list[_Here]) -> Iterator[str]:
    """Yield in what the model is another one than recorded; put the model into `here` where there is one."""
    about = record.about
    try:
        found = _find(record, request.plugin, registry)
    except RequestError as error:
        yield f"model {about.name!r} of {about.distribution} is not here ({error})"
        return
    here.append(found)
    if found.model.version != about.version:
        yield f"model {about.name!r} is version {found.model.version!r}, recorded {about.version!r}"
    if (source := source_hash(found.model)) != about.source:
        yield f"model {about.name!r} has source {_short(source)}, recorded {_short(about.source)}"
    try:
        values = config_values(make_config(found.model, record.config))
    except RequestError as error:
        yield f"its hyper-parameters are not valid here: {error}"
        return
    if others := sorted(name for name in values.keys() | record.config if values.get(name) != record.config.get(name)):
        yield f"its hyper-parameters read otherwise here: {', '.join(others)}"


def _find(record: Record, plugin: str | None, registry: Registry) -> _Here:
    """Return the record's model: of the file that was named, of an installed plugin, or of a file known here."""
    name = record.about.name
    entry = None if plugin is None else load_file(plugin, registry)
    if entry is not None and entry.name != name:
        raise RequestError(f"--plugin {plugin}: is model {entry.name!r}")
    if entry is None and registry.has("models", name):
        entry = registry.get("models", name)
    if entry is not None:
        distribution = f"{entry.origin.distribution} {entry.origin.version}".strip()
        return _Here(entry.thing, address(entry.thing, entry.origin), distribution)
    of_file = record.address.rpartition(":")[0].endswith(".py")
    try:
        # A record may be a stranger's: its address is followed only to what was named, or may run, here anyway.
        model = resolve_known(record.address)
    except Exception as error:  # what a module raises when imported may be anything
        if of_file:
            why = "it is not there any more, or was never run here"
            raise RequestError(f"{record.address}: {why}: --plugin FILE.py:Class says where it lies now") from error
        registry.get("models", name)  # raises, and knows more: a broken plugin, one left out, a similar name
        raise RequestError(str(error)) from error
    if model.name != name:
        raise RequestError(f"{record.address}: is model {model.name!r} now")
    return _Here(model, record.address, record.about.distribution)


def _content(record: Record, request: Request, registry: Registry) -> Iterator[str]:
    """Yield which of data set, extractor and metrics is another one than recorded, or not here."""
    track = record.track.protocol
    loads: tuple[tuple[str, str, Callable[[], str], str], ...] = (
        ("data set", track.dataset, lambda: load_dataset(track.dataset, registry, request.data_dir).sha256,
         record.track.dataset_sha256),
        ("extractor", track.extractor,
         lambda: registry.get("extractors", track.extractor).thing.identity(request.weights),
         record.track.extractor_sha256),
    )  # fmt: skip
    for what, name, load, recorded in loads:
        try:
            if (found := load()) != recorded:
                yield f"{what} {name!r} has hash {_short(found)}, recorded {_short(recorded)}"
        except RequestError as error:
            yield f"{what} {name!r} is not here ({error})"
    versions = {facts.name: facts.version for facts in record.track.metrics}
    for name in track.metrics:
        try:
            version = registry.get("metrics", name).thing.version
        except RequestError as error:
            yield f"metric {name!r} is not here ({error})"
            continue
        if version != versions.get(name):
            yield f"metric {name!r} is version {version}, recorded {versions.get(name, 'unknown')}"


def _protocol(record: Record) -> Iterator[str]:
    """Yield whether the protocol is another one, or the record contradicts itself."""
    info = record.track
    found = info.protocol.fingerprint(info.dataset_sha256, info.extractor_sha256, info.metrics)
    if found != info.fingerprint:
        yield (
            f"protocol {PROTOCOL} of this ganbench gives its track fingerprint {_short(found)}, "
            f"recorded {_short(info.fingerprint)}"
        )
    key = make_key(record.about, record.config, info.fingerprint, record.seed, record.precision)
    if key != record.key:
        yield f"what it says of itself has key {_short(key)}, recorded {_short(record.key)}"


def _short(sha256: str) -> str:
    """Return the first 12 letters, and what an extractor's identity says after its hash."""
    return sha256[:12] + "".join(sha256.partition("/")[1:])


def _on_gpu(record: Record) -> bool:
    return record.provenance.get("device") not in (None, "cpu")


def _setting(record: Record, request: Request) -> RuntimeConfig:
    """Return how the trial runs: on the device, with the threads and flags of the record as far as they are here."""
    known: dict[str, Any] = record.provenance
    as_recorded = "cpu" if known.get("device") == "cpu" else "auto"  # which falls back to the CPU
    device = pick_device(request.device or as_recorded)
    threads = known.get("threads")
    threads = threads if isinstance(threads, int) and threads > 0 else None
    _, threads = share_out(1, request.threads or threads, 1, device)
    return RuntimeConfig(
        device=device,
        threads=threads,
        data_dir=request.data_dir,
        weights=request.weights,
        deterministic=known.get("deterministic") is True,
        command=list(request.command),
    )


def _row(record: Record, path: Path, boards: Path) -> list[Record]:
    """Return one record a seed of the record's row: first those that lie beside it, then the published ones.

    Of one row are those of the same track, label and source; and of the same number format, which is part of what a
    trial is. What cannot be trusted is left out.
    """
    beside = path.parent.parent.glob(f"*/{RECORD}") if path.name == RECORD else path.parent.glob("*.json")
    published = records_folder(boards, record.track.protocol.name).glob("*.json")
    seeds = {record.seed: record}
    for each in (*sorted(beside), *sorted(published)):
        try:
            found = read_record(each)
        except RequestError:
            continue
        if _same_row(found, record):
            seeds.setdefault(found.seed, found)
    return list(seeds.values())


def _same_row(one: Record, other: Record) -> bool:
    mine, theirs = ((each.track.fingerprint, each.row, each.precision) for each in (one, other))
    return mine == theirs
