"""What the store holds, trial by trial: how each ended, or where it stands."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.errors import RequestError
from ganbench.store.checkpoint_header import read_share
from ganbench.store.run_record import Record, Status
from ganbench.store.run_spec import Trial
from ganbench.store.store import Store, in_work

RUNNING, INTERRUPTED, DAMAGED = "running", "interrupted", "damaged"
STATUSES = (*(status.value for status in Status), RUNNING, INTERRUPTED, DAMAGED)
"""How trials ended, and how those stand that have no record."""
SHOWN = 8
"""Letters of a key that are shown, where that many tell it apart."""


@dataclass(frozen=True)
class Entry:
    """A trial in the store: its record where there is one, what was asked for where that can be read.

    `reason` says why its `status` is no ``ok``. `share` is how much of the budget its checkpoint stands at, 0 to 1.
    `started` is None where no clock is to be believed.
    """

    key: str
    folder: Path
    status: str
    reason: str = ""
    asked: Record | Trial | None = None
    share: float | None = None
    started: datetime.datetime | None = None

    @property
    def label(self) -> str:
        return self.asked.about.label if self.asked else "?"

    @property
    def track(self) -> str:
        return self.asked.track.protocol.name if self.asked else "?"

    @property
    def seed(self) -> int | None:
        return self.asked.repetition if self.asked else None

    @property
    def record(self) -> Record | None:
        return self.asked if isinstance(self.asked, Record) else None

    @property
    def standing(self) -> str:
        """The status, and for one that was interrupted how far it had come."""
        if self.status != INTERRUPTED:
            return self.status
        return f"{self.status}, {'not begun' if self.share is None else f'at {self.share:.0%}'.replace('%', ' %')}"

    def content(self) -> dict[str, Any]:
        """Return it as JSON values."""
        metrics = self.record.metrics if self.record else {}
        return {
            "key": self.key, "status": self.status, "reason": self.reason, "model": self.label, "seed": self.seed,
            "track": self.track, "share": self.share, "started": self.started and self.started.isoformat(),
            "metrics": {name: score.value for name, score in metrics.items()}, "folder": str(self.folder),
        }  # fmt: skip


def survey(runs: Path) -> list[Entry]:
    """Return what a store holds, in the order of tracks, models and seeds; what is damaged is an entry that says so."""
    store = Store(runs)
    keys = store.keys()
    entries = [look(store, key) for key in keys]
    return sorted(entries, key=lambda each: (each.track, each.label, -1 if each.seed is None else each.seed, each.key))


def look(store: Store, key: str) -> Entry:
    """Return how one trial stands."""
    folder = store.folder(key)
    try:
        kept = store.read(key)
    except (RequestError, OSError) as error:
        return Entry(key, folder, DAMAGED, str(error), read_trial(folder), None, _asked_at(folder))
    if kept is not None:
        record = kept.record
        return Entry(key, folder, record.status.value, record.reason, record, None, _started(record))
    trial, running = read_trial(folder), _in_work(folder)
    if trial is None and not running:
        return Entry(key, folder, DAMAGED, f"{folder / 'trial.json'}: damaged, and there is no record")
    status = RUNNING if running else INTERRUPTED
    return Entry(key, folder, status, "", trial, read_share(folder), _asked_at(folder))


def read_trial(folder: Path) -> Trial | None:
    """Return what was asked for of a trial, None where that cannot be read."""
    try:
        return Trial.model_validate_json((folder / "trial.json").read_bytes())
    except (OSError, ValueError):
        return None


def letters(keys: Iterable[str]) -> int:
    """Return how many first letters tell keys apart, `SHOWN` at least."""
    ordered = sorted(keys)
    alike = (_common(one, other) for one, other in zip(ordered, ordered[1:], strict=False))
    return max([SHOWN, *(count + 1 for count in alike)])


def age(started: datetime.datetime | None, now: datetime.datetime) -> str:
    """Return how long ago that was: ``40 s``, ``3 min``, ``2 h``, ``5 d``; ``?`` where it lies ahead or is unknown."""
    seconds = -1.0 if started is None else (now - started).total_seconds()
    if seconds < 0:
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _common(one: str, other: str) -> int:
    return next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), len(one))


def _in_work(folder: Path) -> bool:
    try:
        return in_work(folder)
    except OSError:  # of somebody else's folder nobody can tell
        return False


def _started(record: Record) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(str(record.provenance.get("started")))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _asked_at(folder: Path) -> datetime.datetime | None:
    """Return when ``trial.json`` was written, which every start of a trial does."""
    try:
        return datetime.datetime.fromtimestamp((folder / "trial.json").stat().st_mtime, datetime.UTC)
    except (OSError, ValueError, OverflowError):
        return None
