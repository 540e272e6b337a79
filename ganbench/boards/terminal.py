"""The board for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ganbench.boards.aggregate import Estimate
from ganbench.boards.board import Board
from ganbench.boards.formatting import BLANK, interval, name, number
from ganbench.boards.rank import Ranked
from ganbench.metric import STANDARD, MetricInfo
from ganbench.util.text import one_line

SHOWN = ("is", "precision", "recall", "coverage", "authenticity", "acc", "acc_oracle")
"""Of the standard metrics, those that a terminal has room for beside the headline."""


def table(board: Board) -> Table:
    """Return the board with its failures and what was refused or superseded below.

    Labels and reasons are `Text`, never markup: ``vae[latent_dim=64]`` would lose its brackets.
    """
    title = Text(f"{board.track.name}: {one_line(board.track.summary, 70)}")
    lines = Text("\n".join(_below(board)), justify="left")
    result = Table(title=title, title_justify="left", caption=lines, caption_justify="left", box=SIMPLE_HEAD)
    result.show_edge, result.padding = False, (0, 0)
    result.add_column("rank", no_wrap=True)
    result.add_column("model", overflow="fold", min_width=8)  # the one column that gives way: long labels wrap
    headline = board.headline
    shown = [metric for metric in board.metrics if metric.name in SHOWN or metric.name not in STANDARD]
    shown = [metric for metric in shown if metric.name != headline.name]
    for heading in (headline.title + headline.arrow, *(metric.title for metric in shown)):
        result.add_column(heading, justify="right", no_wrap=True)
    for cost in ("img/s", "train\ns", "failed"):
        result.add_column(cost, justify="right", no_wrap=True)
    for ranked in board.rows:
        style = "dim" if ranked.row.role != "model" else "red" if ranked.row.headline is None else ""
        result.add_row(*_cells(ranked, headline, shown), style=style)
    return result


def _cells(ranked: Ranked, headline: MetricInfo, shown: Sequence[MetricInfo]) -> list[Text]:
    row = ranked.row
    found = row.headline
    digits = 0 if found and (found.high or found.mean) >= 100 else headline.digits
    cells = [ranked.rank or BLANK, name(row), interval(found, digits)]
    cells += [_short(row.metrics.get(metric.name)) for metric in shown]
    cells += [_rounded(row.images_per_second), _rounded(row.train_seconds)]
    return [Text(cell) for cell in (*cells, f"{row.failed}/{len(row.records)}" if row.failed else "")]


def _short(found: Estimate | None) -> str:
    return BLANK if found is None else f"{found.mean:.2f}"


def _rounded(value: float | None) -> str:
    return BLANK if value is None else number(value, 1 if value < 10 else 0)


def _below(board: Board) -> list[str]:
    lines = [
        f"{one_line(ranked.row.label, 40)}: {one_line(reason, 300)}"
        for ranked in board.rows
        for reason in (*ranked.row.flags, *map(str, ranked.row.failures))
    ]
    lines += [f"refused {refusal.path}: {one_line(refusal.reason, 300)}" for refusal in board.refused]
    lines += [one_line(str(each)) for each in board.superseded]
    seeds = {ranked.row.trials for ranked in board.rows if ranked.row.trials}
    if seeds:
        over = f"{min(seeds)} to {max(seeds)}" if len(seeds) > 1 else str(min(seeds))
        single = "; one seed separates nothing" if 1 in seeds else ""
        lines.append(f"means over seeds (n = {over}), 95 % interval in brackets; shared ranks overlap{single}")
    return lines
