"""The board as CSV, full precision: one row a model, and beside it one row a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ganbench.boards.board import Board
from ganbench.boards.costs import COSTS
from ganbench.boards.entries import Column, Entry
from ganbench.boards.table import TableRow, Value, board_table, shows_checked
from ganbench.util.text import one_line

BEFORE = ("rank", "model", "family", "runs", "failed")
"""Columns that stand before the metrics."""
AFTER = ("samples", "tuned", "role", "published", "sampler", "note")
"""Columns that stand after the costs."""
_COSTS = tuple(cost.name for cost in COSTS)


def columns(board: Board) -> tuple[str, ...]:
    """Return the names of the board's columns."""
    metrics = (column.name + end for column in board.columns for end in ("", "_low", "_high"))
    return (*BEFORE, *metrics, *_COSTS, *AFTER, *_checked(board))


def _checked(board: Board) -> tuple[str, ...]:
    return ("checked",) if shows_checked(board) else ()


def run_columns(board: Board) -> tuple[str, ...]:
    """Return the names of the columns of its runs."""
    return (
        *("model", "family", "role", "seed_index", "seed", "status", "reason", "key"),
        *(column.name for column in board.columns),
        *("samples", "images", "steps", *_COSTS, "total_seconds", "scoring_seconds"),
    )


def values(row: TableRow, board: Board) -> tuple[Value, ...]:
    """Return a row's values in the order of `columns`, None where there is none."""
    found: list[Value] = [row.cells[name].value for name in BEFORE]
    for column in board.columns:
        estimate = row.cells[column.name].estimate
        found += [estimate.mean, estimate.low, estimate.high] if estimate else [None, None, None]
    return (*found, *(row.cells[name].value for name in (*_COSTS, *AFTER, *_checked(board))))


def run_values(entry: Entry, columns: Iterable[Column]) -> tuple[Value, ...]:
    """Return a run's values in the order of `run_columns`; a failed run keeps what it had measured."""
    info, run, seconds = entry.info, entry.run, entry.run.seconds
    return (
        *(info.label, info.family, info.role, entry.seed_index, run.spec.seed),
        *(run.status.value, run.reason, run.key),
        *(entry.metrics[column.name].value if column.name in entry.metrics else None for column in columns),
        entry.score.n if entry.score else None,
        *(run.images, run.steps, run.parameters or None, run.images_per_second or None),
        *(seconds.get("train"), seconds.get("sample"), run.peak_memory_bytes / 2**20 or None, run.flops),
        *(seconds.get("total"), entry.score.seconds if entry.score else None),
    )


def board_csv(board: Board) -> str:
    """Return ``<track>.csv``: one row a model, failures among them."""
    return _csv(columns(board), (values(row, board) for row in board_table(board).rows))


def runs_csv(board: Board) -> str:
    """Return ``<track>-runs.csv``: one row a run."""
    return _csv(run_columns(board), (run_values(entry, board.columns) for entry in board.entries))


def _csv(columns: Sequence[str], rows: Iterable[tuple[Value, ...]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(value) if isinstance(value, str) else value for value in row] for row in rows)
    return stream.getvalue()


def _text(value: str) -> str:
    """Fold line ends, and put an apostrophe before what a spreadsheet would run as a formula."""
    folded = one_line(value)
    return f"'{folded}" if folded.startswith(("=", "+", "-", "@")) else folded
