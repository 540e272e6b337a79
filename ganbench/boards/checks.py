"""What keeps a record off a board: keys, seeds, dates, sources and values that cannot be what they say.

A checksum tells damage; it is no signature, and whoever edits a record can compute it anew. So what a record says of
itself is recomputed here. (A record that was made up whole and consistently cannot be told: `ganbench reproduce` can.)
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from ganbench.metric import MetricInfo
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.score_record import ScoreRecord
from ganbench.store.seeds import run_seed

KnownSources = Mapping[tuple[str, str], str]
"""The source hash of each installed model, by distribution (with version) and name."""


def refusal(record: RunRecord, now: datetime.datetime) -> str:
    """Say why a run's record is not to be believed; nothing where it is consistent."""
    spec, info = record.spec, record.spec.model_info
    if spec.key != record.key:
        return f"its key is {record.key}, what it says of itself has key {spec.key}"
    if info.label != info.name and not info.label.startswith(f"{info.name}["):
        return f"its label {info.label!r} is not that of model {info.name!r}"
    if spec.seed != run_seed(spec.training.train_sha256, spec.seed_index):
        return f"its seed {spec.seed} is not that of seed index {spec.seed_index} on this data set"
    if said := record.provenance.get("started"):
        date = _date(said)
        if date is None:
            return f"it says that it started on {str(said)[:40]!r}, which is no date"
        if date > now + datetime.timedelta(days=1):
            return f"it says that it started on {said}, which is in the future"
    return ""


def has_other_code(record: RunRecord, known_sources: KnownSources) -> bool:
    """Tell whether a run says that its model comes from a distribution whose model here has other code."""
    info = record.spec.model_info
    source = known_sources.get((info.distribution, info.name))
    return source is not None and source != info.source


def score_refusal(score: ScoreRecord, record: RunRecord, metrics: Mapping[str, MetricInfo]) -> str:
    """Say why a score of a run is not to be believed, such as a value beyond its metric's range; nothing if it is.

    `metrics` are the board's own: a record that was edited may say another range for one of them.
    """
    if record.status is RunStatus.OK and record.samples is None:
        return "its run left no samples that could have been scored"
    if record.samples is not None and score.n > min(record.samples.n, score.protocol.samples):
        return f"it says that {score.n:,} samples were scored, which is more than there are"
    for name, value in _values(score):
        said = score.metric_info.get(name)
        if said is None:
            return f"{name} is not described"
        known = metrics.get(name)
        info = known if known is not None and known.version == said.version else said
        # Rounding may carry a value a little beyond its range.
        low, high = (info.low, info.high)
        if low is not None and value < low - 1e-6 or high is not None and value > high + 1e-6:
            return f"{name} is {value:g}, which is impossible: it lies in [{low}, {high}]"
    if score.key != score.protocol.key:
        return f"its key is {score.key}, that of its protocol is {score.protocol.key}"
    return ""


def started(record: RunRecord) -> str:
    """Return the start in ISO 8601 and UTC, which sorts as text; empty, and so the oldest, where it is unknown."""
    date = _date(record.provenance.get("started"))
    return "" if date is None else date.isoformat()


def _values(score: ScoreRecord) -> Iterator[tuple[str, float]]:
    """Yield every metric's value, then those at the points of the curve, without their ``_sd`` and ``_se``."""
    for name, found in score.metrics.items():
        yield name, found.value
    for point in score.curve:
        yield from ((name, value) for name, value in point.metrics.items() if name in score.metric_info)


def _date(said: object) -> datetime.datetime | None:
    """Return a moment in UTC; None for what is no date in ISO 8601."""
    try:
        found = datetime.datetime.fromisoformat(str(said))
        return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
