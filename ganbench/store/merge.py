"""Two score records of the same samples under the same protocol become one, which holds the metrics of both.

A metric's newer version wins, of equal versions the record that is written later; but a value is never replaced by a
reason why there is none, unless that reason is of a newer version.
"""

from __future__ import annotations

from typing import TypeVar

from ganbench.store.score_record import CurveScores, ScoreRecord

V = TypeVar("V")


def merge(old: ScoreRecord, new: ScoreRecord) -> ScoreRecord:
    """Return the union of two records; `new` was written later, and its provenance is kept.

    Raises ValueError where they are of another run, of another protocol or of other samples.
    """
    if (old.run, old.key, old.samples_sha256) != (new.run, new.key, new.samples_sha256):
        raise ValueError("scores of another run, of another protocol or of other samples cannot be merged")
    kept = {name for name in _names(old) if _older_wins(name, old, new)}
    return new.model_copy(
        update={
            "metrics": _chosen(old.metrics, new.metrics, kept),
            "metric_info": _chosen(old.metric_info, new.metric_info, kept),
            "skipped": _chosen(old.skipped, new.skipped, kept),
            "curve": _merged_curve(old, new),
            "seconds": old.seconds + new.seconds,
        }
    )


def _chosen(old: dict[str, V], new: dict[str, V], kept: set[str]) -> dict[str, V]:
    """Return the union: of metrics in `kept` what the older record says. The older order comes first."""
    found = {}
    for name in dict.fromkeys([*old, *new]):
        source = old if name in kept else new
        if name in source:
            found[name] = source[name]
    return found


def _names(record: ScoreRecord) -> dict[str, None]:
    return dict.fromkeys([*record.metric_info, *record.metrics, *record.skipped])


def _version(name: str, record: ScoreRecord) -> int:
    """Return the version of a metric in a record, 0 where it says nothing of that metric."""
    info = record.metric_info.get(name)
    return info.version if info else int(name in _names(record))


def _older_wins(name: str, old: ScoreRecord, new: ScoreRecord) -> bool:
    before, after = _version(name, old), _version(name, new)
    return before > after or (before == after and name in old.metrics and name not in new.metrics)


def _merged_curve(old: ScoreRecord, new: ScoreRecord) -> list[CurveScores]:
    """Return the points of both, in the order of images; a point is known by where it stands and by its samples."""
    points: dict[tuple[int, str], CurveScores] = {}
    for record, other in ((old, new), (new, old)):
        for point in record.curve:
            # A value whose metric has a newer version in the other record is of a definition that is no more.
            values = {
                name: value
                for name, value in point.metrics.items()
                if _version(base := _base(name, record), record) >= _version(base, other)
            }
            place = (point.images, point.samples_sha256)
            known = points[place].metrics if place in points else {}
            points[place] = point.model_copy(update={"metrics": known | values})
    return sorted((point for point in points.values() if point.metrics), key=lambda point: point.images)


def _base(name: str, record: ScoreRecord) -> str:
    """Return the metric that a curve's value belongs to: ``fid`` for ``fid_se``."""
    stem = name.removesuffix("_se").removesuffix("_sd")
    return stem if name not in record.metric_info and stem in record.metric_info else name
