"""Records of one fingerprint to rows: means over training seeds with their intervals, costs, failures."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ganbench.metric import LACKING, MetricInfo
from ganbench.store.run_record import ModelInfo, Record, Status

CONFIDENCE = 0.95
COPIES = "copies training images"


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` seeds and its 95 % t-interval, cut to the metric's range; one seed has no interval."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half_width(self) -> float | None:
        """The half width of the interval, read from the side that the metric's range did not cut."""
        if self.low is None or self.high is None:
            return None
        return max(self.mean - self.low, self.high - self.mean)


@dataclass(frozen=True)
class Failure:
    """`count` of a row's `total` trials ended alike."""

    status: Status
    reason: str
    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.status}: {self.reason or 'no reason given'} ({self.count} of {self.total} trials)"


@dataclass(frozen=True)
class Row:
    """One label on a board. Everything that an ok trial would give is None or absent where there is none."""

    label: str
    about: ModelInfo
    records: tuple[Record, ...]
    metrics: dict[str, Estimate]
    samples: int | None
    parameters: int | None
    images_per_second: float | None
    train_seconds: float | None
    peak_memory_mib: float | None
    failures: tuple[Failure, ...]
    flags: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        return self.about.family

    @property
    def role(self) -> str:
        return self.about.role

    @property
    def ok(self) -> tuple[Record, ...]:
        """The trials that the means are taken over, in the order of repetitions."""
        return tuple(record for record in self.records if record.status is Status.OK)

    @property
    def trials(self) -> int:
        return len(self.ok)

    @property
    def failed(self) -> int:
        return len(self.records) - len(self.ok)

    @property
    def headline(self) -> Estimate | None:
        """What the row is ranked by."""
        return self.metrics.get(self.records[0].track.protocol.headline)

    @property
    def note(self) -> str:
        """Flags, then failures with their reasons."""
        return "; ".join([*self.flags, *map(str, self.failures)])


def estimate(values: Sequence[float], metric: MetricInfo) -> Estimate | None:
    """Return the mean over seeds with its interval, None where there is no value."""
    if not values:
        return None
    n, mean = len(values), statistics.fmean(values)
    if n == 1:
        return Estimate(mean, None, None, 1)
    from scipy.special import stdtrit  # scipy.stats is slow to import

    half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * statistics.stdev(values) / math.sqrt(n)
    low, high = mean - half, mean + half
    return Estimate(
        mean,
        low if metric.low is None else max(low, metric.low),
        high if metric.high is None else min(high, metric.high),
        n,
    )


def aggregate(records: Iterable[Record]) -> list[Row]:
    """Return one row a label, in the order of labels; a label whose trials all failed has its row too."""
    labels: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda each: (each.about.label, each.repetition, each.key)):
        labels.setdefault(record.about.label, []).append(record)
    rows = [_row(label, trials) for label, trials in labels.items()]
    ceiling, floor = (next((row for row in rows if row.role == role), None) for role in ("ceiling", "floor"))
    return [replace(row, flags=(*row.flags, COPIES)) if _copies(row, ceiling, floor) else row for row in rows]


def _row(label: str, records: list[Record]) -> Row:
    ok = [record for record in records if record.status is Status.OK]
    metrics = {}
    for metric in records[0].track.metrics:
        values = [record.metrics[metric.name].value for record in ok if metric.name in record.metrics]
        if (found := estimate(values, metric)) is not None:
            metrics[metric.name] = found
    headline, asked = records[0].track.protocol.headline, records[0].track.protocol.samples
    sizes = sorted({record.metrics[headline].n for record in ok if headline in record.metrics})
    flags = [] if sizes in ([], [asked]) else [f"scored on {sizes[0]} samples where the track asks for {asked}"]
    blanks = Counter((name, why) for record in ok for name, why in record.absent.items() if not why.startswith(LACKING))
    flags += [f"no {name}: {why} ({count} of {len(ok)} trials)" for (name, why), count in blanks.items()]
    parameters = _mean(record.parameters for record in ok)
    endings = Counter((record.status, record.reason) for record in records if record.status is not Status.OK)
    return Row(
        label=label,
        about=records[0].about,
        records=tuple(records),
        metrics=metrics,
        samples=sizes[0] if sizes else None,
        parameters=None if parameters is None else round(parameters),
        # what is not trained has no speed, and memory that was not measured is unknown: blank, not zero
        images_per_second=_mean(record.images_per_second for record in ok if record.images_per_second),
        train_seconds=_mean(record.seconds["train"] for record in ok if "train" in record.seconds),
        peak_memory_mib=_mean(record.peak_memory_bytes / 2**20 for record in ok if record.peak_memory_bytes),
        failures=tuple(Failure(*ending, count, len(records)) for ending, count in endings.items()),
        flags=tuple(flags),
    )


def _mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return statistics.fmean(values) if values else None


def _copies(row: Row, ceiling: Row | None, floor: Row | None) -> bool:
    """Tell whether a model is less than half as authentic as real images, even at the top of its interval.

    One seed has no interval, and its mean decides: the flag is a caution and ranks nothing. A model that is nearer
    to noise than to real images copies nothing, whatever its authenticity: blots that lie far from all digits have
    an outlier for nearest training image.
    """
    if row.role != "model" or ceiling is None:
        return False
    own, real = row.metrics.get("authenticity"), ceiling.metrics.get("authenticity")
    if own is None or real is None:
        return False
    if floor is not None and row.headline and floor.headline and row.headline.mean > floor.headline.mean / 2:
        return False
    return (own.mean if own.high is None else own.high) < real.mean / 2
