"""A board: the rows of one track in their order, and what is not among them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganbench.boards.aggregate import aggregate
from ganbench.boards.collect import Refusal, Superseded, collect
from ganbench.boards.entries import Column, Entry, columns_of
from ganbench.boards.rank import Ranked, rank
from ganbench.boards.request import BoardRequest
from ganbench.metric import MetricInfo
from ganbench.store.store import Store
from ganbench.tracks.track import Track

__all__ = ["Board", "BoardRequest", "build_board", "published_store"]


@dataclass(frozen=True)
class Board:
    """The rows of one track, ranked: the user's own, then the published ones that compare."""

    request: BoardRequest
    columns: tuple[Column, ...]
    rows: tuple[Ranked, ...]
    refused: tuple[Refusal, ...]
    superseded: tuple[Superseded, ...]
    left_out: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def track(self) -> Track:
        return self.request.track

    @property
    def headline(self) -> MetricInfo:
        """The metric that rows are ranked by."""
        return self.request.headline

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every run shown, in the order of rows and seeds."""
        return tuple(entry for ranked in self.rows for entry in ranked.row.entries)

    @property
    def ceiling(self) -> Ranked | None:
        return next((ranked for ranked in self.rows if ranked.row.role == "ceiling"), None)

    @property
    def models(self) -> tuple[Ranked, ...]:
        return tuple(ranked for ranked in self.rows if ranked.row.role == "model")

    @property
    def possible_firsts(self) -> tuple[Ranked, ...]:
        """The models among which the best one is, jointly at 95 %; none where fewer than two have two seeds."""
        return tuple(ranked for ranked in self.rows if ranked.may_be_first)


def published_store(published: Path, name: str) -> Store:
    """Return the store of a published board's runs."""
    return Store(published / name / "runs")


def build_board(
    request: BoardRequest,
    stores: Iterable[Store],
    published: Path | None = None,
    *,
    known_sources: Mapping[tuple[str, str], str] | None = None,
) -> Board:
    """Collect and rank without writing anything.

    `stores` are the user's; published rows of the track stand below theirs, marked, and are ranked with them.
    `known_sources` are the source hashes of installed models, by distribution and name.
    """
    shown = [published_store(published, request.track.name)] if published and request.scoring.split == "test" else []
    found = collect(request, stores, shown, known_sources or {}, datetime.datetime.now(datetime.UTC))
    columns = columns_of(found.shown, request.metrics)
    rows = rank(aggregate(found.shown, columns, request))
    return Board(request, columns, tuple(rows), tuple(found.refused), tuple(found.superseded), tuple(found.left_out))
