"""A run as a board sees it: its record, and what scoring protocols say of its samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ganbench.metric import MetricInfo, Score
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import ModelInfo
from ganbench.store.score_record import ScoreRecord


class Column(NamedTuple):
    """A metric on a board. Under another extractor than the track's its name is ``fid@dinov2-vit-s-14``."""

    name: str
    title: str
    info: MetricInfo


@dataclass(frozen=True)
class Entry:
    """A run, the folder that it lies in, its score under the board's protocol, and those under other extractors.

    `published` tells whether it lies among the published runs.
    """

    run: RunRecord
    folder: Path
    score: ScoreRecord | None
    others: tuple[ScoreRecord, ...] = ()
    published: bool = False

    @property
    def info(self) -> ModelInfo:
        return self.run.spec.model_info

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
        for other in self.others:
            found |= {f"{name}@{other.protocol.extractor}": score for name, score in other.metrics.items()}
        return found

    @property
    def skipped(self) -> dict[str, str]:
        """Why metrics of the board's protocol have no value."""
        return self.score.skipped if self.score else {}


def columns_of(entries: list[Entry], metrics: tuple[MetricInfo, ...]) -> tuple[Column, ...]:
    """Return the track's metrics, then others that were computed, then those under other extractors."""
    columns = {metric.name: Column(metric.name, metric.title, metric) for metric in metrics}
    for entry in entries:
        for name, info in (entry.score.metric_info if entry.score else {}).items():
            columns.setdefault(name, Column(name, info.title, info))
    others: dict[str, Column] = {}
    for entry in entries:
        for other in entry.others:
            extractor = other.protocol.extractor
            for name, info in other.metric_info.items():
                if name in other.metrics:
                    others.setdefault(
                        f"{name}@{extractor}", Column(f"{name}@{extractor}", f"{info.title}@{extractor}", info)
                    )
    return (*columns.values(), *others.values())
