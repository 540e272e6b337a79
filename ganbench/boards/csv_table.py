"""The board as CSV, full precision: one row a model, and beside it one row a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ganbench.boards.board import Board
from ganbench.boards.entries import Column, Entry
from ganbench.boards.rank import Ranked
from ganbench.util.text import one_line

Value = str | int | float | None
COSTS = ("parameters", "images_per_second", "train_seconds", "sample_seconds", "peak_memory_mib", "flops")


def columns(board: Board) -> tuple[str, ...]:
    """Return the names of the board's columns."""
    return (
        *("rank", "model", "family", "runs", "failed"),
        *(column.name + end for column in board.columns for end in ("", "_low", "_high")),
        *(*COSTS, "samples", "role", "published", "sampler", "note"),
    )


def run_columns(board: Board) -> tuple[str, ...]:
    """Return the names of the columns of its runs."""
    return (
        *("model", "family", "role", "seed_index", "seed", "status", "reason", "key"),
        *(column.name for column in board.columns),
        *("samples", "images", "steps", *COSTS, "total_seconds", "scoring_seconds"),
    )


def values(ranked: Ranked, columns: Iterable[Column]) -> tuple[Value, ...]:
    """Return a row's values in the order of `columns`, None where there is none."""
    row = ranked.row
    cells: list[Value] = [ranked.rank, row.label, row.family, row.runs, row.failed]
    for column in columns:
        found = row.metrics.get(column.name)
        cells += [found.mean, found.low, found.high] if found else [None, None, None]
    cells += [getattr(row, cost) for cost in COSTS]
    return (*cells, row.samples, row.role, "yes" if row.published else "", row.info.sampler, row.note)


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
    return _csv(columns(board), (values(ranked, board.columns) for ranked in board.rows))


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
