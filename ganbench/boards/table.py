"""A board as a table: columns and rows as data, which every format writes in its own way.

What is shown where there is no room for all is decided here, by one order of importance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ganbench.boards.board import Board
from ganbench.boards.costs import COSTS, Cost
from ganbench.boards.estimate import Estimate
from ganbench.boards.formatting import BLANK, interval, metric_value, name, number, plus_minus
from ganbench.boards.rank import Ranked
from ganbench.metric import STANDARD, MetricInfo
from ganbench.util.text import one_line

Value = str | int | float | None

MAIN = 9
"""Columns of a table that a page has room for."""
ALWAYS = 3
"""Of the order of importance, columns that every table shows: rank, model, headline."""
IMPORTANCE = (
    "rank", "model", "<headline>", "<headline under another extractor>", "<metric that is not standard>", "fid",
    "recall", "coverage", "precision", "runs", "checked", "authenticity", "is", "cas", "cas_oracle",
    "images_per_second", "train_seconds", "density", "kid", "copying", "gan_test", "<cost>",
    "<metric under another extractor>", "tuned", "family", "sampler", "duplicates", "leaks", "spectrum",
)  # fmt: skip
"""Columns from the most telling to the least; what stands in angle brackets is a kind of column."""
COMPANIONS = {"precision": ("recall", "coverage")}
"""Columns that mislead alone, and those that must stand beside them. They come before them in `IMPORTANCE`."""


@dataclass(frozen=True)
class TableColumn:
    """A column by its name in the CSV, its title, and whether it holds numbers; `info` where it is a metric."""

    name: str
    title: str
    numeric: bool = True
    info: MetricInfo | None = None

    @property
    def heading(self) -> str:
        """The title, with an arrow where more, or less, is better."""
        return self.title + (self.info.arrow if self.info else "")


@dataclass(frozen=True)
class Cell:
    """A value, None where there is none, as it reads on a page and, `short`, in a terminal."""

    value: Value
    text: str
    short: str
    estimate: Estimate | None = None


@dataclass(frozen=True)
class TableRow:
    """A row of the board, and its cells by column."""

    ranked: Ranked
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """All columns of a board, in reading order, and its rows."""

    board: Board
    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]

    @cached_property
    def by_importance(self) -> tuple[TableColumn, ...]:
        """The columns that can stand in a table of their own choice, from the most telling to the least.

        One of `COMPANIONS` whose companions are missing is not among them.
        """
        names = {column.name for column in self._filled}
        alone = [column for column in self._filled if set(COMPANIONS.get(column.name, ())) <= names]
        return tuple(sorted(alone, key=lambda column: IMPORTANCE.index(self._kind(column))))

    @property
    def main(self) -> tuple[TableColumn, ...]:
        """The columns that a page has room for, in reading order."""
        chosen = self.by_importance[:MAIN]
        return tuple(column for column in self.columns if column in chosen)

    @property
    def rest(self) -> tuple[TableColumn, ...]:
        """What there is to show beside `main`, in reading order."""
        main = self.main
        return tuple(column for column in self._filled if column not in main)

    @cached_property
    def _filled(self) -> tuple[TableColumn, ...]:
        """The columns for a reader, without those in which no row has a value."""
        return tuple(
            column
            for column in self.columns
            if (kind := self._kind(column)) in IMPORTANCE[:ALWAYS]
            or (kind in IMPORTANCE and any(row.cells[column.name].value not in (None, "") for row in self.rows))
        )

    @property
    def best(self) -> TableRow | None:
        """The row that is the best by the joint statement, None where that names several or none."""
        firsts = [row for row in self.rows if row.ranked.may_be_first]
        return firsts[0] if len(firsts) == 1 else None

    def _kind(self, column: TableColumn) -> str:
        """Return the name under which a column stands in `IMPORTANCE`."""
        headline = self.board.headline.name
        base, _, extractor = column.name.partition("@")
        if column.name == headline:
            return "<headline>"
        if extractor:
            return f"<{'headline' if base == headline else 'metric'} under another extractor>"
        if column.info is not None and column.name not in STANDARD:
            return "<metric that is not standard>"
        if column.name not in IMPORTANCE and column.name in {cost.name for cost in COSTS}:
            return "<cost>"
        return column.name


def board_table(board: Board, rows: Iterable[Ranked] | None = None) -> Table:
    """Return a board as a table, or these of its rows."""
    metrics = sorted(board.columns, key=lambda column: column.name != board.headline.name)
    columns = (
        *(TableColumn("rank", "rank", numeric=False), TableColumn("model", "model", numeric=False)),
        *(TableColumn(each.name, each.title, info=each.info) for each in metrics),
        *(TableColumn(cost.name, cost.title) for cost in COSTS),
        *(TableColumn("runs", "runs", numeric=False), TableColumn("failed", "failed"), TableColumn("samples", "n")),
        TableColumn("tuned", "tuned"),
        *((TableColumn("checked", "checked", numeric=False),) if shows_checked(board) else ()),
        *(TableColumn(word, word, numeric=False) for word in ("family", "role", "published", "sampler", "note")),
    )
    chosen = board.rows if rows is None else rows
    return Table(board, columns, tuple(TableRow(ranked, _cells(ranked, columns, board)) for ranked in chosen))


def shows_checked(board: Board) -> bool:
    """Tell whether a board says how far rows were checked: where one of them came in a bundle."""
    return any(ranked.row.checked for ranked in board.rows)


def _cells(ranked: Ranked, columns: Sequence[TableColumn], board: Board) -> dict[str, Cell]:
    row = ranked.row
    runs = f"{row.runs} ok, {row.failed} failed" if row.failed else str(row.runs)
    tried = f"{row.runs}/{len(row.entries)}" if row.failed else str(row.runs)
    cells = {
        "rank": Cell(ranked.rank, ranked.rank or BLANK, ranked.rank or BLANK),
        "model": Cell(row.label, name(row), name(row, 200)),
        "runs": Cell(row.runs, runs, tried),
        "failed": Cell(row.failed, str(row.failed), str(row.failed)),
        "samples": _count(row.samples),
        "tuned": _count(row.tuning.runs if row.tuning else None),
        "published": _word("yes" if row.published else ""),
        "checked": _word(row.checked or ""),
    }
    cells |= {word: _word(said) for word, said in (
        ("family", row.family), ("role", row.role), ("sampler", row.info.sampler), ("note", row.note)
    )}  # fmt: skip
    for column in columns:
        if column.info is not None:
            headline = column.name == board.headline.name
            cells[column.name] = _measured(row.metrics.get(column.name), column.info, interval if headline else None)
    return cells | {cost.name: _cost(getattr(row, cost.name), cost) for cost in COSTS}


def _count(value: int | None) -> Cell:
    return Cell(value, number(value), number(value))


def _word(said: str) -> Cell:
    shown = one_line(said) or BLANK
    return Cell(said, shown, shown)


def _measured(
    found: Estimate | None, info: MetricInfo, write: Callable[[Estimate | None, MetricInfo], str] | None
) -> Cell:
    if found is None:
        return Cell(None, BLANK, BLANK)
    if write is not None:
        return Cell(found.mean, write(found, info), write(found, info), found)
    return Cell(found.mean, plus_minus(found, info), metric_value(found.mean, info, min(info.digits, 2)), found)


def _cost(value: float | None, cost: Cost) -> Cell:
    short = cost.text(value)
    if value is not None and value >= 10 and cost.write is None:  # a terminal has no room for decimals
        short = number(value)
    return Cell(value, cost.text(value), short)
