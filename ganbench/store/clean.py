"""What can be removed from a store: files that can be drawn or made again, and what killed processes left half done.

- the final samples, where the run's own checkpoint is there to draw them from again;
- ``resume*.pt`` of runs that have ended: training does not continue from them, unless it is retried;
- partial files, which a process left behind that was killed while it wrote;
- where that is asked for, the samples drawn on the way, at the points of the curve: these cannot be drawn again.

Records, scores, checkpoints, pictures and logs stay. A run that is in work is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.store.layout import CHECKPOINT, SAMPLES, SCORES
from ganbench.store.locks import Lock, in_work, locked
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.samples import SampleFile
from ganbench.store.store import Store
from ganbench.util.atomic_io import partial_files, sha256_of


@dataclass(frozen=True)
class Cleaned:
    """What was removed of one run, or would be: paths relative to its folder, with their sizes in bytes.

    `notes` say in one line each what was kept that could have been expected to go, or what its removal means.
    """

    key: str
    label: str
    files: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(self.files.values())


def clean(
    store: Store, keys: list[str] | None = None, *, curves: bool = False, dry_run: bool = False
) -> Iterator[Cleaned]:
    """Remove what can be made again of the runs of these keys, of all by default; yield each run as it is done.

    With `curves` the samples at the points of the curves go, too; with `dry_run` nothing does. Raises OSError where a
    file cannot be removed.
    """
    for key in store.keys() if keys is None else keys:
        folder = store.folder(key)
        try:
            record = store.read(key)
        except RequestError as error:
            yield Cleaned(key, "?", {}, [f"left alone: {error}"])
            continue
        label = record.spec.model_info.label if record else "?"
        try:
            if dry_run:
                yield _in_work(key, label) if in_work(folder) else _clean(folder, key, label, record, curves, dry_run)
                continue
            lock = Lock(folder)
            mine = lock.acquire()
        except OSError as error:
            yield Cleaned(key, label, {}, [f"left alone: it cannot be locked ({os.strerror(error.errno or 0)})"])
            continue
        try:
            # What was read before the lock was held may have been trained again meanwhile.
            done = _clean(folder, key, label, store.read(key), curves, dry_run) if mine else _in_work(key, label)
        finally:
            lock.release()
        yield done


def _in_work(key: str, label: str) -> Cleaned:
    return Cleaned(key, label, {}, ["left alone: another command is at work on it"])


def _clean(folder: Path, key: str, label: str, record: RunRecord | None, curves: bool, dry_run: bool) -> Cleaned:
    cleaned = Cleaned(key, label)
    files = [*partial_files(folder), *partial_files(folder / SAMPLES)]
    if record is not None:
        resume = sorted(folder.glob("resume*.pt"))
        if resume and record.status is not RunStatus.OK:
            cleaned.notes.append(
                f"it ended as {record.status}: without {resume[0].name} a retry begins at the first step"
            )
        files += resume
        files += _final(folder, record, cleaned)
        if curves:
            files += _curve(folder, record)
    _remove(folder, files, cleaned, dry_run)
    # Scores are written under a lock of their own, by processes that need not hold the run's.
    if (scores := folder / SCORES).is_dir() and (halves := partial_files(scores)):
        if dry_run:
            _remove(folder, [] if in_work(scores) else halves, cleaned, dry_run)
        else:
            with locked(scores) as mine:
                _remove(folder, partial_files(scores) if mine else [], cleaned, dry_run)
    return cleaned


def _final(folder: Path, record: RunRecord, cleaned: Cleaned) -> list[Path]:
    """Return the final samples where they can be drawn again from the run's own checkpoint."""
    if record.samples is None or not (found := _sample_files(folder, [record.samples])):
        return []
    known, checkpoint = record.files.get(CHECKPOINT), folder / CHECKPOINT
    if record.spec.model_info.role != "model":
        cleaned.notes.append("samples kept: it is a baseline without a checkpoint")
    elif not checkpoint.is_file():
        cleaned.notes.append(f"samples kept: there is no {CHECKPOINT} to draw them from again")
    elif known is None or sha256_of(checkpoint) != known:
        cleaned.notes.append(f"samples kept: {CHECKPOINT} is not the one that drew them")
    else:
        return found
    return []


def _curve(folder: Path, record: RunRecord) -> list[Path]:
    return _sample_files(folder, [point.samples for point in record.curve if point.samples is not None])


def _sample_files(folder: Path, samples: list[SampleFile]) -> list[Path]:
    """Return those of the files that are there, in the run's own folder of samples: a record could name any file."""
    room = (folder / SAMPLES).resolve()
    paths = dict.fromkeys(folder / each.file for each in samples)
    return [path for path in paths if path.is_file() and path.resolve().parent == room]


def _remove(folder: Path, files: list[Path], cleaned: Cleaned, dry_run: bool) -> None:
    for path in files:
        try:
            size = path.lstat().st_size
            if not dry_run:
                path.unlink()
        except FileNotFoundError:  # its process has finished, or removed it
            continue
        cleaned.files[str(path.relative_to(folder))] = size
