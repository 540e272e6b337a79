"""What the page of a board shows, taken from the same `Board` as its CSV."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from ganbench.boards import csv_table
from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.caption import READING, absent, caption
from ganbench.boards.costs import COSTS
from ganbench.boards.entries import Column
from ganbench.boards.estimate import Estimate
from ganbench.boards.formatting import BLANK, first_place, interval, metric_value, name
from ganbench.boards.rank import Ranked
from ganbench.boards.table import Cell as TableCell
from ganbench.boards.table import Table, TableColumn, board_table
from ganbench.metric import MetricInfo
from ganbench.report import charts
from ganbench.report.board_page import BoardPage, Comparison, FailedRow, Heading, Meaning, Sample, TableRow, Value
from ganbench.report.charts import Series
from ganbench.report.comparison import Pair, effect_words, matrix, pairs, verdict
from ganbench.report.links import Links
from ganbench.report.pictures import Picture
from ganbench.util.text import one_line

MORE_IS_BETTER = {"images_per_second"}
"""Costs that are none."""
REASON = 400


def board_page(
    board: Board, links: Links, pictures: Mapping[int, Picture], trainings: Mapping[int, Picture]
) -> BoardPage:
    """Return what the page of a board shows; `pictures` are sample grids by the index of the row."""
    series = charts.all_series(board, {index: links.model(each.row) for index, each in enumerate(board.rows)})
    samples = [each.ranked.row.headline.sample if each.ranked.row.headline else None for each in series]
    known = {(series[i].index, series[j].index): pair for (i, j), pair in pairs(samples, board.headline).items()}
    table = board_table(board)
    columns = _columns(table)
    rows = _rows(table, columns, links, series)
    paired = [(each, sample) for each, sample in zip(series, samples, strict=True) if sample and sample.n > 1]
    chances = matrix([sample for _, sample in paired])
    return BoardPage(
        name=board.name,
        dataset=one_line(board.track.dataset, 80),
        budget=str(board.track.budget),
        summary=one_line(board.track.summary),
        headline=board.headline.title,
        first_place=first_place(board),
        joint=bool(board.possible_firsts),
        models=len(board.models),
        headings=_headings(table, columns),
        rows=rows,
        families=tuple(sorted({row.family for row in rows if row.role == "model"})),
        compared=_compared(board, known),
        samples=tuple(_samples(board, links, pictures, trainings)),
        series=tuple(series),
        curves=tuple(charts.curves(board, series)),
        curve_samples=board.request.scoring.curve_samples,
        fronts=tuple(charts.fronts(board, series)),
        matrix=tuple(
            (each.label, tuple(line)) for (each, _), line in zip(paired, chances, strict=True)
        ) if len(paired) > 1 else (),
        alone=tuple(each.label for each, sample in zip(series, samples, strict=True) if not sample or sample.n < 2),
        failures=tuple(_failures(board, links)),
        absent=tuple(absent(board)),
        meanings=tuple(meaning(column) for column in board.columns),
        reading=READING,
        caption=tuple(caption(board)),
        data={
            "names": [name(ranked.row) for ranked in board.rows],
            "values": [interval(ranked.row.headline, board.headline) for ranked in board.rows],
            "more": [[value.more for value in row.values] for row in rows],
            "effect": effect_words(board.headline),
            "paired": [each.index for each, _ in paired],
            "pairs": [known[i, j].compact for i, j in itertools.combinations([each.index for each, _ in paired], 2)],
        },
    )  # fmt: skip


def _columns(table: Table) -> list[TableColumn]:
    """Return the metrics, and the costs that any row has."""
    costs = {cost.name for cost in COSTS if any(row.cells[cost.name].value is not None for row in table.rows)}
    return [column for column in table.columns if column.info is not None or column.name in costs]


def _headings(table: Table, columns: Sequence[TableColumn]) -> tuple[Heading, ...]:
    """Return headings; shown at first is what a page has room for."""
    main = {column.name for column in table.main}
    return tuple(
        Heading(column.name, column.heading, "number", _better(column), column.name in main) for column in columns
    )


def _better(column: TableColumn) -> str:
    if column.info is not None:
        return column.info.direction
    return "higher" if column.name in MORE_IS_BETTER else "lower"


def _rows(table: Table, columns: Sequence[TableColumn], links: Links, series: Sequence[Series]) -> tuple[TableRow, ...]:
    styles = {each.index: each.style for each in series}
    forests = charts.forests(table.board)
    headline = table.board.headline.name
    rows = []
    for index, each in enumerate(table.rows):
        row, cells = each.ranked.row, each.cells
        values = [_value(row, column, cells[column.name], column.name == headline) for column in columns]
        rows.append(TableRow(
            index, each.ranked.rank, cells["model"].text, links.model(row), one_line(row.family, 30), row.role,
            row.published, forests[index], tuple(values), cells["runs"].text,
            one_line("; ".join(filter(None, (row.checked.meaning if row.checked else "", row.note))), REASON),
            styles.get(index, ""),
        ))  # fmt: skip
    return tuple(rows)


def _value(row: Row, column: TableColumn, cell: TableCell, headline: bool) -> Value:
    if cell.value is None:
        return Value(BLANK, "")
    if column.info is None or cell.estimate is None:
        return Value(cell.text, repr(cell.value))
    info, found, aside = column.info, cell.estimate, ""
    if headline and found.low is not None and found.high is not None:
        aside = f"[{metric_value(found.low, info)}, {metric_value(found.high, info)}]"
    seeds = {
        entry.seed_index: metric_value(entry.metrics[column.name].value, info)
        for entry in row.ok
        if column.name in entry.metrics
    }
    told = list(seeds.values()) if list(seeds) == list(range(len(seeds))) else [f"{at} {seeds[at]}" for at in seeds]
    return Value(metric_value(found.mean, info), repr(found.mean), aside, ";".join([_range(found, info), *told]))


def _range(found: Estimate, info: MetricInfo) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"{metric_value(found.low, info)},{metric_value(found.high, info)}"


def _compared(board: Board, known: Mapping[tuple[int, int], Pair]) -> Comparison | None:
    """Return the best two models that can be compared."""
    models = [(index, ranked) for index, ranked in enumerate(board.rows) if ranked.row.role == "model"]
    models = [(index, ranked) for index, ranked in models if ranked.row.headline]
    chosen = next((two for two in itertools.combinations(models, 2) if (two[0][0], two[1][0]) in known), None)
    if chosen is None and len(models) > 1:
        chosen = models[0], models[1]
    if chosen is None:
        return None
    (i, a), (j, b) = chosen
    return Comparison(i, j, *verdict((name(a.row), name(b.row)), known.get((i, j)), effect_words(board.headline)))


def _samples(
    board: Board, links: Links, pictures: Mapping[int, Picture], trainings: Mapping[int, Picture]
) -> list[Sample]:
    return [
        Sample(
            index, name(ranked.row), links.model(ranked.row), _said(ranked, board.headline), pictures.get(index),
            trainings.get(index), one_line(ranked.row.family, 30),
        )
        for index, ranked in enumerate(board.rows)
        if ranked.row.headline or index in pictures
    ]  # fmt: skip


def _said(ranked: Ranked, headline: MetricInfo) -> str:
    return f"{headline.title} {interval(ranked.row.headline, headline)}"


def _failures(board: Board, links: Links) -> list[FailedRow]:
    return [
        FailedRow(name(ranked.row), links.model(ranked.row), one_line(str(failure), REASON))
        for ranked in board.rows
        for failure in ranked.row.failures
    ]


def meaning(column: Column) -> Meaning:
    """Return what the legend says of a column."""
    info = column.info
    limits = ""
    if info.low is not None or info.high is not None:
        low, high = (f"{end:g}" if end is not None else "" for end in (info.low, info.high))
        limits = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
    return Meaning(
        column.title + info.arrow, one_line(column.name, 80), limits, one_line(info.meaning, REASON),
        one_line(info.source, 120),
    )  # fmt: skip


def csv_files(board: Board) -> dict[str, str]:
    """Return the tables that the page offers for reading on."""
    return {"board.csv": csv_table.board_csv(board), "runs.csv": csv_table.runs_csv(board)}
