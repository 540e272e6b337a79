"""What keeps a record off a board: keys, seeds, dates, sources and values that cannot be what they say.

A checksum tells damage; it is no signature, and whoever edits a record can compute it anew. So what a record says of
itself is recomputed here. (A record that was made up whole and consistently cannot be told: `ganbench reproduce` can.)
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from ganbench.store.run_record import RunRecord
from ganbench.store.score_record import ScoreRecord
from ganbench.store.seeds import run_seed

KnownSources = Mapping[tuple[str, str], str]
"""The source hash of each installed model, by distribution (with version) and name."""


def refusal(record: RunRecord, now: datetime.datetime) -> str:
    """Say why a run's record is not to be believed; nothing where it is consistent."""
    spec = record.spec
    if spec.key != record.key:
        return f"its key is {record.key}, what it says of itself has key {spec.key}"
    if spec.seed != run_seed(spec.training.train_sha256, spec.seed_index):
        return f"its seed {spec.seed} is not that of repetition {spec.seed_index} on this data set"
    if (date := started(record)) and _is_ahead(date, now):
        return f"it says that it started on {date}, which lies ahead"
    return ""


def has_other_code(record: RunRecord, known_sources: KnownSources) -> bool:
    """Tell whether a run says that its model comes from a distribution whose model here has other code."""
    info = record.spec.model_info
    source = known_sources.get((info.distribution, info.name))
    return source is not None and source != info.source


def score_refusal(score: ScoreRecord) -> str:
    """Say why a score is not to be believed: a value beyond its metric's range; nothing where there is none."""
    for name, found in score.metrics.items():
        info = score.metric_info.get(name)
        if info is None:
            return f"{name} is not described"
        # Rounding may carry a value a little beyond its range.
        low, high = (info.low, info.high)
        if low is not None and found.value < low - 1e-6 or high is not None and found.value > high + 1e-6:
            return f"{name} is {found.value:g}, which is impossible: it lies in [{low}, {high}]"
    if score.key != score.protocol.key:
        return f"its key is {score.key}, that of its protocol is {score.protocol.key}"
    return ""


def started(record: RunRecord) -> str:
    """Return the start in ISO 8601, which sorts as text; empty, and so the oldest, where it is unknown."""
    return str(record.provenance.get("started") or "")


def _is_ahead(date: str, now: datetime.datetime) -> bool:
    try:
        found = datetime.datetime.fromisoformat(date)
    except ValueError:
        return False
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return found > now + datetime.timedelta(days=1)
