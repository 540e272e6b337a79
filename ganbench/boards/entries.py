"""A run as a board sees it: its record, and what scoring protocols say of its samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ganbench.metric import MetricInfo, Score
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import ModelInfo
from ganbench.store.score_record import ScoreRecord
from ganbench.store.verification import Checked


class Column(NamedTuple):
    """A metric on a board. Under another extractor than the track's its name is ``fid@dinov2-vit-s-14``.

    Where one extractor's name stands for several weights, the first digits of their hash follow it.
    """

    name: str
    title: str
    info: MetricInfo


@dataclass(frozen=True)
class Entry:
    """A run, the folder that it lies in, its score under the board's protocol, and those under other extractors.

    `published` tells whether it lies among the published runs; `others` are by the name of the extractor; `checked` is
    how far it was checked, None for a run that came in no bundle.
    """

    run: RunRecord
    folder: Path
    score: ScoreRecord | None
    others: Mapping[str, ScoreRecord] = field(default_factory=dict)
    published: bool = False
    checked: Checked | None = None

    @property
    def claimed(self) -> bool:
        """Whether nobody has checked it: it ranks nothing, and nothing depends on it."""
        return self.checked is Checked.CLAIMED

    @property
    def info(self) -> ModelInfo:
        return self.run.spec.model_info

    @property
    def row(self) -> tuple[str, str, str]:
        """What seeds are averaged over: label, version and source."""
        return self.info.label, self.info.version, self.info.source

    @property
    def seed_index(self) -> int:
        return self.run.spec.seed_index

    @property
    def ok(self) -> bool:
        """Whether it ended well and was scored."""
        return self.run.status is RunStatus.OK and self.score is not None

    @cached_property
    def metrics(self) -> dict[str, Score]:
        """Scores by column."""
        found = dict(self.score.metrics) if self.score else {}
        for extractor, other in self.others.items():
            found |= {f"{name}@{extractor}": score for name, score in other.metrics.items()}
        return found

    @property
    def skipped(self) -> dict[str, str]:
        """Why columns have no value."""
        found = dict(self.score.skipped) if self.score else {}
        for extractor, other in self.others.items():
            found |= {f"{name}@{extractor}": why for name, why in other.skipped.items()}
        return found


def by_extractor(scores: Iterable[ScoreRecord], ambiguous: set[str]) -> dict[str, ScoreRecord]:
    """Return scores by the name of their extractor; one of the `ambiguous` is told apart by the hash of its weights."""
    named = {}
    for score in scores:
        name, sha256 = score.protocol.extractor, score.protocol.extractor_sha256
        named[f"{name}-{sha256[:8]}" if name in ambiguous else name] = score
    return named


def ambiguous_extractors(scores: Iterable[ScoreRecord]) -> set[str]:
    """Return the names of extractors that stand for more than one file of weights."""
    hashes = defaultdict(set)
    for score in scores:
        hashes[score.protocol.extractor].add(score.protocol.extractor_sha256)
    return {name for name, found in hashes.items() if len(found) > 1}


def of_one_version(entries: list[Entry], metrics: tuple[MetricInfo, ...]) -> list[Entry]:
    """Take values of other versions of a metric away, since they do not compare; `Entry.skipped` says so then.

    The board's own `metrics` say which version counts; of others it is the newest that a run has.
    """
    newest = {metric.name: metric.version for metric in metrics}
    own = set(newest)
    for entry in sorted(entries, key=lambda each: each.claimed):
        for score in (*filter(None, [entry.score]), *entry.others.values()):
            for name, info in score.metric_info.items():
                if name not in own and not (entry.claimed and name in newest):
                    newest[name] = max(info.version, newest.get(name, 0))
    return [
        replace(
            entry,
            score=entry.score and _of_versions(entry.score, newest),
            others={name: _of_versions(score, newest) for name, score in entry.others.items()},
        )
        for entry in entries
    ]


def _of_versions(score: ScoreRecord, versions: Mapping[str, int]) -> ScoreRecord:
    outdated = {name: info for name, info in score.metric_info.items() if info.version != versions[name]}
    if not outdated:
        return score
    why = {
        name: f"of version {info.version}, this board shows version {versions[name]}: `ganbench score` scores it anew"
        for name, info in outdated.items()
    }
    curve = [
        point.model_copy(update={"metrics": {name: x for name, x in point.metrics.items() if name not in outdated}})
        for point in score.curve
    ]
    return score.model_copy(
        update={
            "metrics": {name: found for name, found in score.metrics.items() if name not in outdated},
            "skipped": score.skipped | why, "curve": curve,
            "metric_info": {name: info for name, info in score.metric_info.items() if name not in outdated},
        }
    )  # fmt: skip


def columns_of(entries: list[Entry], metrics: tuple[MetricInfo, ...]) -> tuple[Column, ...]:
    """Return the track's metrics, then others that were computed, then those under other extractors."""
    columns = {metric.name: Column(metric.name, metric.title, metric) for metric in metrics}
    for entry in entries:
        for name, info in (entry.score.metric_info if entry.score else {}).items():
            columns.setdefault(name, Column(name, info.title, info))
    others: dict[str, Column] = {}
    for entry in entries:
        for extractor, other in entry.others.items():
            for name, info in other.metric_info.items():
                if name in other.metrics:
                    others.setdefault(
                        f"{name}@{extractor}", Column(f"{name}@{extractor}", f"{info.title}@{extractor}", info)
                    )
    return (*columns.values(), *others.values())
