"""Runs of one board to rows: means over training seeds with their intervals, costs, failures."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ganbench.boards.entries import Column, Entry
from ganbench.boards.estimate import Estimate, estimate
from ganbench.boards.flags import flags
from ganbench.boards.formatting import metric_value
from ganbench.boards.request import BoardRequest
from ganbench.metric import LACKING
from ganbench.store.run_record import RunStatus
from ganbench.store.run_spec import ModelInfo, Tuning
from ganbench.store.verification import Checked, lowest


@dataclass(frozen=True)
class Failure:
    """`count` of a row's `total` runs ended alike, or were not scored."""

    status: str
    reason: str
    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.status}: {self.reason or 'no reason given'} ({self.count} of {self.total} runs)"


@dataclass(frozen=True)
class Row:
    """One label on a board. Everything that an ok run would give is None or absent where there is none."""

    label: str
    info: ModelInfo
    entries: tuple[Entry, ...]
    metrics: dict[str, Estimate]
    ranked_by: str
    samples: int | None
    parameters: int | None
    images_per_second: float | None
    train_seconds: float | None
    sample_seconds: float | None
    peak_memory_mib: float | None
    flops: float | None
    failures: tuple[Failure, ...]
    flags: tuple[str, ...] = ()
    published: bool = False
    checked: Checked | None = None

    @property
    def claimed(self) -> bool:
        """Whether its runs came in a bundle that nobody has checked."""
        return self.checked is Checked.CLAIMED

    @property
    def family(self) -> str:
        return self.info.family

    @property
    def role(self) -> str:
        return self.info.role

    @property
    def ok(self) -> tuple[Entry, ...]:
        """The runs that the means are taken over, in the order of seeds."""
        return tuple(entry for entry in self.entries if entry.ok)

    @property
    def runs(self) -> int:
        return len(self.ok)

    @property
    def failed(self) -> int:
        return len(self.entries) - len(self.ok)

    @property
    def headline(self) -> Estimate | None:
        """What the row is ranked by."""
        return self.metrics.get(self.ranked_by)

    @property
    def tuning(self) -> Tuning | None:
        """How its hyper-parameters were found, where its runs tell the same."""
        told = {entry.run.spec.tuning for entry in self.entries}
        return next(iter(told)) if len(told) == 1 else None

    @property
    def note(self) -> str:
        """Flags, then failures with their reasons."""
        return "; ".join([*self.flags, *map(str, self.failures)])


def aggregate(entries: Iterable[Entry], columns: Sequence[Column], request: BoardRequest) -> list[Row]:
    """Return one row a label, a user's and a published one apart; a label whose runs all failed has its row too.

    Claimed runs have rows of their own, and no say in what counts as the worst.
    """
    labels: dict[tuple[bool, bool, str], list[Entry]] = {}
    for entry in entries:
        published = entry.published and entry.info.role == "model"
        labels.setdefault((published, entry.claimed, entry.info.label), []).append(entry)
    worst = _worst((runs for (_, claimed, _), runs in labels.items() if not claimed), request.headline.name)
    rows = [_row(runs, columns, request, published, worst) for (published, _, _), runs in labels.items()]
    ceiling, floor = (next((row for row in rows if row.role == role), None) for role in ("ceiling", "floor"))
    return [replace(row, flags=(*row.flags, *flags(row, ceiling, floor))) for row in rows]


def _worst(rows: Iterable[Sequence[Entry]], headline: str) -> float:
    """Return the largest headline value of any run on the board, the floor's as a rule; NaN where there is none."""
    scores = (entry.metrics.get(headline) for entries in rows for entry in entries if entry.ok)
    return max((score.value for score in scores if score is not None), default=math.nan)


def _row(entries: list[Entry], columns: Sequence[Column], request: BoardRequest, published: bool, worst: float) -> Row:
    ok = [entry for entry in entries if entry.ok]
    info, asked, headline = entries[0].info, request.scoring.samples, request.headline
    if info.role != "model":  # made once: a published copy adds nothing
        entries = ok = ok[:1]
    failed = sum(entry.run.status is not RunStatus.OK for entry in entries)
    metrics = {}
    for column in columns:
        scores = [entry.metrics[column.name] for entry in ok if column.name in entry.metrics]
        counted = failed if column.name == headline.name else 0
        if (found := estimate(scores, column.info, worst=worst, failed=counted)) is not None:
            metrics[column.name] = found
    sizes = sorted({entry.score.n for entry in ok if entry.score})
    notes = list(dict.fromkeys(flag for entry in entries for flag in entry.run.flags))
    notes += [] if sizes in ([], [asked]) else [f"scored on {sizes[0]} samples where the track asks for {asked}"]
    blanks = Counter((name, why) for entry in ok for name, why in entry.skipped.items() if not why.startswith(LACKING))
    if failed and headline.name in metrics:
        runs = "its failed run counts" if failed == 1 else f"each of its {failed} failed runs counts"
        notes.append(f"{runs} as {headline.title} {metric_value(worst, headline)}, the worst on this board")
    notes += [f"no {name}: {why} ({count} of {len(ok)} runs)" for (name, why), count in blanks.items()]
    parameters = _mean(entry.run.parameters for entry in ok if entry.run.parameters)
    endings = Counter(_ending(entry) for entry in entries if not entry.ok)
    seconds = [entry.run.seconds for entry in ok]
    return Row(
        label=info.label,
        info=info,
        entries=tuple(entries),
        metrics=metrics,
        ranked_by=headline.name,
        samples=sizes[0] if sizes else None,
        parameters=None if parameters is None else round(parameters),
        # what is not trained has no speed, and memory that was not measured is unknown: blank, not zero
        images_per_second=_mean(entry.run.images_per_second for entry in ok if entry.run.images_per_second),
        train_seconds=_mean(each["train"] for each in seconds if "train" in each),
        sample_seconds=_mean(each["sample"] for each in seconds if "sample" in each),
        peak_memory_mib=_mean(entry.run.peak_memory_bytes / 2**20 for entry in ok if entry.run.peak_memory_bytes),
        flops=_mean(entry.run.flops for entry in ok if entry.run.flops is not None),
        failures=tuple(Failure(*ending, count, len(entries)) for ending, count in endings.items()),
        flags=tuple(notes),
        published=published,
        checked=lowest([entry.checked for entry in entries]),
    )


def _ending(entry: Entry) -> tuple[str, str]:
    if entry.run.status is RunStatus.OK:
        return "not scored", "`ganbench score` scores it"
    return entry.run.status.value, entry.run.reason


def _mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return statistics.fmean(values) if values else None
