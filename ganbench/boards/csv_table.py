"""The board as CSV, full precision: one row a model, and beside it one row a trial."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ganbench.boards.board import Board
from ganbench.boards.rank import Ranked
from ganbench.metric import MetricInfo
from ganbench.store.run_record import Record
from ganbench.util.text import one_line

Value = str | int | float | None


def columns(board: Board) -> tuple[str, ...]:
    """Return the names of the board's columns."""
    return (
        *("rank", "model", "family", "trials", "failed"),
        *(metric.name + end for metric in board.metrics for end in ("", "_low", "_high")),
        *("parameters", "images_per_second", "train_seconds", "peak_memory_mib", "samples", "role", "sampler", "note"),
    )


def trial_columns(board: Board) -> tuple[str, ...]:
    """Return the names of the columns of its trials."""
    return (
        *("model", "family", "role", "repetition", "seed", "status", "reason", "key"),
        *(metric.name for metric in board.metrics),
        *("samples", "images", "steps", "parameters", "images_per_second", "train_seconds", "evaluate_seconds"),
        *("total_seconds", "peak_memory_mib"),
    )


def values(ranked: Ranked, metrics: Iterable[MetricInfo]) -> tuple[Value, ...]:
    """Return a row's values in the order of `columns`, None where there is none."""
    row = ranked.row
    cells: list[Value] = [ranked.rank, row.label, row.family, row.trials, row.failed]
    for metric in metrics:
        found = row.metrics.get(metric.name)
        cells += [found.mean, found.low, found.high] if found else [None, None, None]
    cells += [row.parameters, row.images_per_second, row.train_seconds, row.peak_memory_mib]
    return (*cells, row.samples, row.role, row.about.sampler, row.note)


def trial_values(record: Record) -> tuple[Value, ...]:
    """Return a trial's values in the order of `trial_columns`; a failed trial keeps what it had measured."""
    about, scores, seconds = record.about, record.metrics, record.seconds
    return (
        *(about.label, about.family, about.role, record.repetition, record.seed),
        *(record.status.value, record.reason, record.key),
        *(scores[metric.name].value if metric.name in scores else None for metric in record.track.metrics),
        max((score.n for score in scores.values()), default=None),
        *(record.images, record.steps, record.parameters, record.images_per_second or None),
        *(seconds.get("train"), seconds.get("evaluate"), seconds.get("total")),
        record.peak_memory_bytes / 2**20 or None,
    )


def board_csv(board: Board) -> str:
    """Return ``<track>.csv``: one row a model, failures among them."""
    return _csv(columns(board), (values(ranked, board.metrics) for ranked in board.rows))


def trials_csv(board: Board) -> str:
    """Return ``<track>-trials.csv``: one row a trial."""
    return _csv(trial_columns(board), map(trial_values, board.records))


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
