"""What a store holds, run by run: how each ended, or where it stands."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganbench.errors import RequestError
from ganbench.store.checkpoint_header import read_share
from ganbench.store.index import Index
from ganbench.store.layout import SPEC
from ganbench.store.locks import in_work
from ganbench.store.run_record import RunStatus
from ganbench.store.run_spec import RunSpec
from ganbench.store.store import Store
from ganbench.store.summary import read_run_summary, read_score_summaries
from ganbench.util.gc_pause import gc_paused

RUNNING, INTERRUPTED, DAMAGED = "running", "interrupted", "damaged"
"""How those stand that have no record, or none that can be trusted."""
UNSCORED = "unscored"
"""What is said of a run that ended well and has no scores yet; its status is ``ok``."""
STATUSES = (*(status.value for status in RunStatus), RUNNING, INTERRUPTED, DAMAGED)
SHOWN = 8
"""Letters of a key that are shown, where that many tell it apart."""


@dataclass(frozen=True)
class Entry:
    """A run in the store, as a list shows it.

    `root` is the folder of the store. `reason` says why its `status` is not ``ok``. `label`, `dataset`, `budget` and
    `precision` are ``?`` and `seed_index` is None where neither its record nor ``spec.json`` can be read. `started` is
    None where the time is missing or cannot be read. `scored` counts scoring protocols; `metrics` are values by name
    under the main one of them: of the test split, with the most metrics. `share` is how much of its budget its last
    checkpoint stands at, 0 to 1.
    """

    key: str
    root: Path
    status: str
    reason: str = ""
    label: str = "?"
    dataset: str = "?"
    budget: str = "?"
    precision: str = "?"
    seed_index: int | None = None
    started: datetime.datetime | None = None
    scored: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    share: float | None = None

    @property
    def folder(self) -> Path:
        return self.root / self.key

    @property
    def unscored(self) -> bool:
        """Whether it ended well and has no scores yet."""
        return self.status == RunStatus.OK.value and not self.scored

    @property
    def standing(self) -> str:
        """The status; whether scores are missing, and how far an interrupted run had come."""
        if self.unscored:
            return f"{self.status}, not scored"
        if self.status != INTERRUPTED:
            return self.status
        return f"{self.status}, {'not begun' if self.share is None else f'at {self.share:.0%}'.replace('%', ' %')}"

    def content(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "key": self.key, "status": self.status, "reason": self.reason, "model": self.label,
            "seed_index": self.seed_index, "dataset": self.dataset, "budget": self.budget, "precision": self.precision,
            "share": self.share, "started": self.started and self.started.isoformat(), "scored": self.scored,
            "metrics": self.metrics, "folder": str(self.folder),
        }  # fmt: skip


def survey(runs: Path) -> list[Entry]:
    """Return what a store holds, in the order of data sets, budgets, models and seeds.

    A damaged run is an entry that says so. Raises `RequestError` where the store cannot be read at all.
    """
    store, index = Store(runs), Index(runs)
    keys = store.keys()
    with gc_paused():
        entries = [_known(store, key, index) for key in keys]
        index.save()
    return sorted(entries, key=_order)


def _order(entry: Entry) -> tuple[str, str, str, int, str]:
    seed = -1 if entry.seed_index is None else entry.seed_index
    return entry.dataset, entry.budget, entry.label, seed, entry.key


def look(store: Store, key: str) -> Entry:
    """Return how one run stands."""
    try:
        ended = _read_ended(store, key)
    except RequestError as error:
        return _without_record(store.folder(key), DAMAGED, str(error))
    return _entry(store, key, ended) if ended is not None else _unfinished(store.folder(key))


def _known(store: Store, key: str, index: Index) -> Entry:
    """Do what `look` does, with what the index knows."""
    try:
        ended = index.get(key, lambda: _read_ended(store, key))
    except RequestError as error:
        return _without_record(store.folder(key), DAMAGED, str(error))
    return _entry(store, key, ended) if ended is not None else _unfinished(store.folder(key))


def _read_ended(store: Store, key: str) -> list[Any] | None:
    """Return the fields of an `Entry`, from `status` to `metrics`, as JSON values; None where there is no record."""
    folder = f"{store.root}/{key}"
    record = read_run_summary(folder, key)
    if record is None:
        return None
    scores, spec = read_score_summaries(folder, record), record.spec
    metrics = {name: score.value for name, score in scores[0].metrics.items()} if scores else {}
    return [
        record.status.value, record.reason, spec.model_info.label, spec.training.dataset, spec.training.budget,
        spec.training.precision, spec.seed_index, str(record.provenance.started), len(scores), metrics,
    ]  # fmt: skip


def _entry(store: Store, key: str, ended: list[Any]) -> Entry:
    status, reason, label, dataset, budget, precision, seed_index, started, scored, metrics = ended
    return Entry(
        key, store.root, status, reason, label, dataset, budget, precision, seed_index, _time(started), scored,
        metrics,
    )  # fmt: skip


def _unfinished(folder: Path) -> Entry:
    running = _in_work(folder)
    if not running and read_spec(folder) is None:
        return Entry(folder.name, folder.parent, DAMAGED, f"{folder / SPEC}: damaged, and there is no record")
    return _without_record(folder, RUNNING if running else INTERRUPTED, "", read_share(folder))


def _without_record(folder: Path, status: str, reason: str, share: float | None = None) -> Entry:
    entry = Entry(folder.name, folder.parent, status, reason, started=_began(folder), share=share)
    if (spec := read_spec(folder)) is None:
        return entry
    training = spec.training
    return dataclasses.replace(
        entry, label=spec.model_info.label, dataset=training.dataset, budget=training.budget,
        precision=training.precision, seed_index=spec.seed_index,
    )  # fmt: skip


def read_spec(folder: Path) -> RunSpec | None:
    """Return what was asked for of a run, from its ``spec.json``; None where that cannot be read."""
    try:
        return RunSpec.model_validate_json((folder / SPEC).read_bytes())
    except (OSError, ValueError):
        return None


def letters(keys: Iterable[str]) -> int:
    """Return how many first letters tell keys apart, `SHOWN` at least."""
    ordered = sorted(keys)
    alike = (len(os.path.commonprefix(pair)) for pair in zip(ordered, ordered[1:], strict=False))
    return max([SHOWN, *(count + 1 for count in alike)])


def age(started: datetime.datetime | None, now: datetime.datetime) -> str:
    """Return how long ago that was: ``40 s``, ``3 min``, ``2 h``, ``5 d``; ``?`` where that is unknown or negative."""
    seconds = -1.0 if started is None else (now - started).total_seconds()
    if seconds < 0:
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _in_work(folder: Path) -> bool:
    try:
        return in_work(folder)
    except OSError:  # the folder belongs to somebody else, and its lock cannot be opened
        return False


def _time(text: str) -> datetime.datetime | None:
    """Read a time of ISO 8601, UTC where it names no zone; None for what is none."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _began(folder: Path) -> datetime.datetime | None:
    """Return when ``spec.json`` was written, which happens at every start of a run."""
    try:
        return datetime.datetime.fromtimestamp((folder / SPEC).stat().st_mtime, datetime.UTC)
    except (OSError, ValueError, OverflowError):
        return None
