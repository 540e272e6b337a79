"""Pack runs into a bundle: with their samples, checkpoints and scores, the code that trained them, and a lock file."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import ganbench
from ganbench.budget import Budget
from ganbench.errors import RequestError
from ganbench.experiment.score import track_of
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.store.layout import (
    ANSWERS,
    CHECKPOINT,
    CURVE,
    RUN,
    SAMPLES_PICTURE,
    SCORES,
    SURFACES,
    TRAINING_PICTURE,
)
from ganbench.store.lookup import find_folder
from ganbench.store.run_record import RunStatus
from ganbench.store.run_spec import TrainingProtocol
from ganbench.store.samples import read_samples
from ganbench.store.store import Store, StoredRun
from ganbench.submission.code import packed_code
from ganbench.submission.environment import lock_text
from ganbench.submission.manifest import LOCK, MANIFEST, RUNS, BundledRun, BundledTrack, Manifest, Member, ModelCode
from ganbench.tracks.track import Track
from ganbench.util.atomic_io import atomic_write, check_writable, sha256_of

_DATE = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the earliest that a zip archive can hold."""
_REGULAR = 0o100644 << 16


@dataclass(frozen=True)
class Request:
    """What an author asks for; the options of ``ganbench submit``."""

    what: tuple[str, ...]
    out: Path | None = None
    runs: Path = Path("runs")
    track: str | None = None
    budget: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Packed:
    """A bundle that was written."""

    path: Path
    manifest: Manifest
    size: int


def pack(request: Request, registry: Registry) -> Packed:
    """Write the bundle of the runs that are asked for.

    Raises `RequestError`, and writes nothing, where a run is not whole, where its code is not there as it was trained,
    or where runs are of several tracks.
    """
    store = Store(request.runs)
    track = _asked_track(request, registry)
    runs = list({run.key: run for what in request.what for run in _chosen(what, store, track)}.values())
    protocols = {_protocol(run) for run in runs}
    if len(protocols) > 1:
        raise RequestError(
            f"the runs are of {len(protocols)} tracks ({'; '.join(sorted(map(_said, protocols)))}): submit them one by "
            "one, each with --track"
        )
    record = runs[0].record
    assert record is not None
    track = track or track_of(record.spec.training, registry)
    if track is None:
        raise RequestError(f"{record.key}: no track has its data set and budget: name one with --track")
    files: dict[str, Path] = {}
    code: dict[tuple[str, str], ModelCode] = {}
    for run in runs:
        assert run.record is not None
        files |= {f"{RUNS}/{run.key}/{name}": run.folder / name for name in _files(run)}
        info = run.record.spec.model_info
        if (info.name, info.source) not in code:
            code[info.name, info.source], packed = packed_code(run.record.spec, request.code)
            files |= packed
    manifest = Manifest(
        ganbench=ganbench.__version__,
        track=BundledTrack(
            name=_base_name(track, request, registry), budget=record.spec.training.budget,
            precision=record.spec.training.precision,
        ),
        runs=[_bundled(run) for run in runs], code=list(code.values()), members={},
    )  # fmt: skip
    out = request.out or Path(f"{_slug(runs)}.zip")
    check_writable(out.parent, "--out")
    manifest = write_bundle(out, manifest, {LOCK: lock_text().encode()}, files)
    return Packed(out, manifest, out.stat().st_size)


def write_bundle(out: Path, manifest: Manifest, texts: dict[str, bytes], files: dict[str, Path]) -> Manifest:
    """Write members given as bytes and as files, and the manifest that lists them; return that."""
    members = {name: Member(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
               for name, content in texts.items()}  # fmt: skip
    members |= {name: Member(sha256=sha256_of(path), size=path.stat().st_size) for name, path in files.items()}
    manifest = manifest.model_copy(update={"members": dict(sorted(members.items()))})
    head = json.dumps(manifest.model_dump(mode="json"), indent=1).encode() + b"\n"

    def write(stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name in (MANIFEST, *manifest.members):
                info = zipfile.ZipInfo(name, _DATE)
                info.create_system, info.external_attr = 3, _REGULAR
                known = texts | {MANIFEST: head}
                source = io.BytesIO(known[name]) if name in known else open(files[name], "rb")  # noqa: SIM115
                size = len(known[name]) if name in known else members[name].size
                info.file_size = size
                with source, archive.open(info, "w") as target:
                    while block := source.read(2**20):
                        target.write(block)

    atomic_write(out, write)
    return manifest


def _base_name(track: Track, request: Request, registry: Registry) -> str:
    """Return the name of a track without the budget and the precision that were asked for."""
    if request.track is not None:
        return find_track(request.track, registry).name
    return track.name if registry.has("tracks", track.name) else track.name.partition("+")[0]


def _asked_track(request: Request, registry: Registry) -> Track | None:
    if request.track is None:
        if request.budget is not None:
            raise RequestError(f"--budget {request.budget}: of which track? Add --track")
        return None
    return find_track(request.track, registry).with_budget(request.budget)


def _chosen(what: str, store: Store, track: Track | None) -> list[StoredRun]:
    """Return the runs of a label, by their seeds, or the run of a key, its first letters, or a path."""
    runs = [run for run in store.records() if run.record is not None]
    found = [run for run in runs if run.record and run.record.spec.model_info.label == what]
    if not found:
        folder = find_folder(what, store.root)
        run = Store(folder.parent).stored(folder.name)
        if run is None:
            raise RequestError(f"{what}: it has no record yet: the same `ganbench run` goes on with it")
        if run.record is None:
            raise RequestError(run.problems[0])
        found = [run]
    elif track is None and len(protocols := {_protocol(run) for run in found}) > 1:
        raise RequestError(
            f"{what}: there are runs of {len(protocols)} tracks ({'; '.join(sorted(map(_said, protocols)))}): say "
            "which with --track, and --budget where it is not the track's own"
        )
    if track is not None:
        asked = (track.dataset, str(Budget.parse(track.budget)), track.precision)
        kept = [run for run in found if _protocol(run)[:3] == asked]
        if not kept:
            raise RequestError(f"{what}: no run of it is of track {track.name!r}, but of {_said(_protocol(found[0]))}")
        found = kept
    for run in found:
        assert run.record is not None
        if run.record.spec.model_info.role != "model":
            raise RequestError(f"{what}: is a baseline, which every board makes itself")
    return sorted(found, key=lambda run: run.record.spec.seed_index if run.record else 0)


def _protocol(run: StoredRun) -> tuple[str, str, str, str, str]:
    assert run.record is not None
    training: TrainingProtocol = run.record.spec.training
    return training.dataset, training.budget, training.precision, training.device, training.train_sha256


def _said(protocol: tuple[str, ...]) -> str:
    dataset, budget, precision, device, sha256 = protocol
    return f"{dataset} ({sha256[:8]}), {budget}, {precision}" + (f", on {device}" if device else "")


def _files(run: StoredRun) -> list[str]:
    """Return the files of a run that are packed; `RequestError` where something is missing, with what to do."""
    record, folder = run.record, run.folder
    assert record is not None
    who = f"{record.key} ({record.spec.model_info.label}, seed {record.spec.seed_index})"
    if run.problems:
        raise RequestError(f"{who}: {run.problems[0]}")
    if record.status is not RunStatus.OK:
        return [RUN]  # a failure is a row, too: leaving it out would flatter the others
    if record.samples is None or not (folder / record.samples.file).is_file():
        raise RequestError(
            f"{who}: its samples were cleaned away: `ganbench score {record.key} --metrics all` draws them again from "
            "its checkpoint"
        )
    if not (folder / CHECKPOINT).is_file() or CHECKPOINT not in record.files:
        raise RequestError(f"{who}: its {CHECKPOINT} is missing: train it again, with `ganbench run ... --rerun`")
    if not any(score.protocol.split == "test" for score in run.scores):
        raise RequestError(f"{who}: it is not scored: `ganbench score {record.key}` does that")
    if sha256_of(folder / CHECKPOINT) != record.files[CHECKPOINT]:
        raise RequestError(f"{who}: {CHECKPOINT} is not the one of its record: train it again with --rerun")
    read_samples(folder, record.samples)
    names = [RUN, CHECKPOINT, record.samples.file, *(f"{SCORES}/{score.key}.json" for score in run.scores)]
    names += [point.samples.file for point in record.curve if point.samples is not None]
    names += [CURVE, SURFACES, SAMPLES_PICTURE, TRAINING_PICTURE]
    names += [str(path.relative_to(folder)) for path in sorted((folder / ANSWERS).glob("*.*"))]
    return [name for name in dict.fromkeys(names) if (folder / name).is_file()]


def _bundled(run: StoredRun) -> BundledRun:
    assert run.record is not None
    spec = run.record.spec
    return BundledRun(
        key=run.key, label=spec.model_info.label, seed_index=spec.seed_index, status=run.record.status.value
    )


def _slug(runs: Sequence[StoredRun]) -> str:
    from ganbench.boards.formatting import slug

    labels = list(dict.fromkeys(run.record.spec.model_info.label for run in runs if run.record))
    return slug(labels[0]) if len(labels) == 1 else f"{slug(labels[0])}-and-{len(labels) - 1}-more"
