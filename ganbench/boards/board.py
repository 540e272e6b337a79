"""A board: the rows of one track in their order, and what is not among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganbench.boards.aggregate import aggregate
from ganbench.boards.collect import Collection, Refusal, Superseded, collect, started
from ganbench.boards.rank import Ranked, rank
from ganbench.metric import MetricInfo
from ganbench.store.run_record import Record, TrackInfo
from ganbench.tracks.track import Track


@dataclass(frozen=True)
class Board:
    """The rows of one track and fingerprint, ranked, with what was refused and what was superseded."""

    info: TrackInfo
    rows: tuple[Ranked, ...]
    refused: tuple[Refusal, ...]
    superseded: tuple[Superseded, ...]

    @property
    def track(self) -> Track:
        return self.info.protocol

    @property
    def metrics(self) -> tuple[MetricInfo, ...]:
        """The columns, in order."""
        return self.info.metrics

    @property
    def headline(self) -> MetricInfo:
        """The metric that rows are ranked by."""
        return self.info.headline

    @property
    def records(self) -> tuple[Record, ...]:
        """Every trial shown, in the order of rows and repetitions."""
        return tuple(record for ranked in self.rows for record in ranked.row.records)

    @property
    def ceiling(self) -> Ranked | None:
        return next((ranked for ranked in self.rows if ranked.row.role == "ceiling"), None)

    @property
    def models(self) -> tuple[Ranked, ...]:
        return tuple(ranked for ranked in self.rows if ranked.row.role == "model")

    @property
    def leaders(self) -> tuple[Ranked, ...]:
        """Every row that can be the best one."""
        return tuple(ranked for ranked in self.rows if ranked.best == 1)


def build(collection: Collection) -> Board:
    """Rank what was collected; the track's wording is that of the most recently started record."""
    records = [found.record for found in collection.shown]
    latest = max(records, key=lambda record: (started(record), record.key))
    return Board(latest.track, tuple(rank(aggregate(records))), collection.refused, collection.superseded)


def assemble(track: str, runs: Path | None, boards: Path, *, fingerprint: str | None = None) -> Board:
    """Collect and rank without writing anything; raise `RequestError` where there is nothing to show."""
    return build(collect(track, runs, boards, fingerprint))
