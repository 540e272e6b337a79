"""The first step of verification: whether what a bundle says agrees with itself. No code of it is run or imported."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganbench.boards.checks import refusal, score_refusal
from ganbench.errors import RequestError
from ganbench.experiment.protocols import Protocols
from ganbench.registry.import_path import import_path
from ganbench.registry.registry import Registry
from ganbench.registry.source_hash import source_hash
from ganbench.store.layout import CHECKPOINT, SCORES
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import RunSpec
from ganbench.store.samples import SampleFile, read_samples
from ganbench.store.store import Store, StoredRun
from ganbench.submission.code import is_own, packed_source_hash
from ganbench.submission.manifest import RUNS, Manifest, ModelCode
from ganbench.util.atomic_io import sha256_of


def check_keys(manifest: Manifest, folder: Path, protocols: Protocols, registry: Registry) -> Iterator[str]:
    """Yield what contradicts itself in an unpacked bundle, or belongs to another track, one line each."""
    store = Store(folder / RUNS)
    code = {(each.model, each.source): each for each in manifest.code}
    for array in sorted((folder / RUNS).glob("**/*.npy")):
        yield from _array(array, folder)
    seeds: set[tuple[str, int]] = set()
    rows: dict[str, tuple[str, str, dict[str, object]]] = {}
    for run in manifest.runs:
        who = f"{RUNS}/{run.key}"
        stored = store.stored(run.key)
        if stored is None:
            yield f"{who}: there is no run.json"
            continue
        yield from (problem.replace(f"{folder}/", "") for problem in stored.problems)
        if stored.record is None:
            continue
        spec = stored.record.spec
        said = (spec.model_info.label, spec.seed_index, stored.record.status.value)
        if said != (run.label, run.seed_index, run.status):
            yield f"{who}: is {said[0]}, seed {said[1]}, {said[2]}, which is not what the manifest says"
        if (spec.model_info.label, spec.seed) in seeds:
            yield f"{who}: its label and seed are those of another run of the bundle"
        seeds.add((spec.model_info.label, spec.seed))
        decisive = (spec.model_info.name, spec.model_info.source, spec.config)
        if rows.setdefault(spec.model_info.label, decisive) != decisive:
            yield f"{who}: has the label of another run, and other code or hyper-parameters"
        yield from (f"{who}: {why}" for why in _record(stored.record, protocols))
        if stored.record.status is RunStatus.OK:
            yield from (f"{who}/{why}" for why in _files(stored, protocols))
        found = code.get((spec.model_info.name, spec.model_info.source))
        if found is None:
            yield f"{who}: the manifest has no code of model {spec.model_info.name!r} with its source hash"
    trained = {(each.spec.model_info.name, each.spec.model_info.source): each.spec
               for run in manifest.runs if (each := _read(store, run.key)) is not None}  # fmt: skip
    for key, known in code.items():
        if key not in trained:
            yield f"code of {known.model!r}: no run of the bundle was trained with it"
        else:
            yield from _code(known, trained[key], folder, registry)


def _read(store: Store, key: str) -> RunRecord | None:
    try:
        return store.read(key)
    except RequestError:
        return None


def _array(path: Path, folder: Path) -> Iterator[str]:
    """Refuse an array that says it is larger than its file: to read it would take whatever memory it asks for."""
    try:
        with open(path, "rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream)
            if dtype.hasobject or math.prod(shape) * dtype.itemsize + stream.tell() != path.stat().st_size:
                yield f"{path.relative_to(folder)}: is not the array that its header says"
    except (ValueError, OSError) as error:
        yield f"{path.relative_to(folder)}: is no array ({' '.join(str(error).split())[:80]})"


def _record(record: RunRecord, protocols: Protocols) -> Iterator[str]:
    if why := refusal(record, datetime.datetime.now(datetime.UTC)):
        yield why
    if (role := record.spec.model_info.role) != "model":
        yield f"it is a {role}, which every board makes itself"
    track, training = protocols.training, record.spec.training
    names = ["train_sha256", "budget", "precision", "shape", "classes", "n"]
    names += ["device"] if track.device else []  # a time budget holds on one kind of device
    for name in names:
        if (theirs := getattr(training, name)) != (ours := getattr(track, name)):
            said = [str(each)[:12] if name == "train_sha256" else str(each) for each in (theirs, ours)]
            yield f"it is of another track than {protocols.track.name}: {name} is {said[0]}, the track's is {said[1]}"


def _files(run: StoredRun, protocols: Protocols) -> Iterator[str]:
    record, folder = run.record, run.folder
    assert record is not None
    if record.samples is None:
        yield "run.json: it names no samples"
    else:
        yield from _samples(folder, record.samples)
    for point in record.curve:
        if point.samples is not None and (folder / point.samples.file).exists():
            yield from _samples(folder, point.samples)
    if not (folder / CHECKPOINT).is_file():
        yield f"{CHECKPOINT}: is missing"
    elif sha256_of(folder / CHECKPOINT) != record.files.get(CHECKPOINT):
        yield f"{CHECKPOINT}: is not the one of the run's record"
    metrics = {metric.name: metric.info for metric in protocols.plans[0].metrics}
    for score in run.scores:
        if why := score_refusal(score, record, metrics):
            yield f"scores/{score.key}.json: {why}"
    own = next((score for score in run.scores if score.key == protocols.scoring.key), None)
    if own is None and not (folder / SCORES / f"{protocols.scoring.key}.json").exists():
        yield f"scores: it is not scored under the protocol of track {protocols.track.name} ({protocols.scoring.key})"
    elif own is not None and (lacks := own.lacks(list(metrics.values()))):
        yield f"scores/{own.key}.json: {', '.join(lacks)}: missing, or of another version: `ganbench score` adds them"


def _samples(folder: Path, known: SampleFile) -> Iterator[str]:
    try:
        if len(read_samples(folder, known)) != known.n:
            yield f"{known.file}: does not hold {known.n:,} samples"
    except FileNotFoundError:
        yield f"{known.file}: is missing"
    except RequestError as error:
        yield str(error).replace(f"{folder}/", "")


def _code(code: ModelCode, spec: RunSpec, folder: Path, registry: Registry) -> Iterator[str]:
    known = registry.get("models", code.model) if registry.has("models", code.model) else None
    if is_own(spec) and not code.members:
        if known is None or known.origin.distribution != "ganbench":
            yield f"code of {code.model!r}: no model of ganbench is called so here"
        elif import_path(known.thing, known.origin) != f"{code.module}:{code.qualified_name}":
            yield f"code of {code.model!r}: {code.module}:{code.qualified_name} is not where ganbench has it"
        elif (here := source_hash(known.thing)) != code.source:
            yield (
                f"code of {code.model!r}: has source {here[:12]} in the ganbench that is installed here, recorded is "
                f"{code.source[:12]}: verify with {code.distribution}"
            )
        return
    if known is not None and known.origin.distribution == "ganbench":
        yield f"code of {code.model!r}: is the name of a model of ganbench's own: call it otherwise"
    if code.home not in code.members or not set(code.assets) <= set(code.members):
        yield f"code of {code.model!r}: the manifest does not say where its class is defined"
        return
    try:
        found = packed_source_hash(code, folder)
    except (RequestError, OSError) as error:
        yield f"code of {code.model!r}: {error}"
        return
    if found != code.source:
        yield f"code of {code.model!r}: has source {found[:12]}, the runs were trained with {code.source[:12]}"
