"""The board for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ganbench.boards.board import Board
from ganbench.boards.entries import Column
from ganbench.boards.estimate import Estimate
from ganbench.boards.formatting import BLANK, first_place, interval, name, number
from ganbench.boards.rank import Ranked
from ganbench.metric import STANDARD
from ganbench.util.text import one_line

SHOWN = ("is", "precision", "recall", "coverage", "authenticity", "cas", "cas_oracle")
"""Of the standard metrics, those that a terminal has room for beside the headline."""


def table(board: Board, only: Collection[str] | None = None) -> Table:
    """Return the board with its failures and what was refused or superseded below.

    `only` are the labels of the user's rows that were asked for; published rows that compare stand below them. Labels
    and reasons are `Text`, never markup: ``vae[latent_dim=64]`` would lose its brackets.
    """
    rows = [each for each in board.rows if only is None or each.row.published or each.row.label in only]
    title = Text(f"{board.name}: {one_line(board.track.summary, 70)}")
    lines = Text("\n".join(_below(board, rows)), justify="left")
    result = Table(title=title, title_justify="left", caption=lines, caption_justify="left", box=SIMPLE_HEAD)
    result.show_edge, result.padding = False, (0, 0)
    result.add_column("rank", no_wrap=True)
    result.add_column("model", overflow="fold", min_width=8)  # the one column that gives way: long labels wrap
    headline = board.headline
    shown = [column for column in board.columns if column.name in SHOWN or column.name not in STANDARD]
    shown = [column for column in shown if column.name != headline.name]
    for heading in (headline.title + headline.arrow, *(column.title.replace("@", "\n@") for column in shown)):
        result.add_column(heading, justify="right", no_wrap=True)
    for cost in ("img/s", "train\ns", "failed"):
        result.add_column(cost, justify="right", no_wrap=True)
    for index, ranked in enumerate(rows):
        if ranked.row.published and index and not rows[index - 1].row.published:
            result.add_section()
        style = "dim" if ranked.row.role != "model" else "red" if ranked.row.headline is None else ""
        result.add_row(*_cells(ranked, board, shown), style=style)
    return result


def _cells(ranked: Ranked, board: Board, shown: Sequence[Column]) -> list[Text]:
    row = ranked.row
    found = row.headline
    cells = [ranked.rank or BLANK, name(row), interval(found, board.headline)]
    cells += [_short(row.metrics.get(column.name)) for column in shown]
    cells += [_rounded(row.images_per_second), _rounded(row.train_seconds)]
    return [Text(cell) for cell in (*cells, f"{row.failed}/{len(row.entries)}" if row.failed else "")]


def _short(found: Estimate | None) -> str:
    return BLANK if found is None else f"{found.mean:.2f}"


def _rounded(value: float | None) -> str:
    return BLANK if value is None else number(value, 1 if value < 10 else 0)


def _below(board: Board, rows: Sequence[Ranked]) -> list[str]:
    lines = [
        f"{one_line(ranked.row.label, 40)}: {one_line(reason, 300)}"
        for ranked in rows
        for reason in (*ranked.row.flags, *map(str, ranked.row.failures))
    ]
    lines += [f"refused {refusal.path}: {one_line(refusal.reason, 300)}" for refusal in board.refused]
    lines += [one_line(str(each)) for each in (*board.superseded, *board.left_out)]
    seeds = {ranked.row.runs for ranked in rows if ranked.row.runs and ranked.row.role == "model"}
    if seeds:
        over = f"{min(seeds)} to {max(seeds)}" if len(seeds) > 1 else str(min(seeds))
        single = "; one seed separates nothing, and its interval is of the scored images alone" if 1 in seeds else ""
        lines.append(f"means over seeds (n = {over}), 95 % interval in brackets{single}")
        lines.append(first_place(board))
    hidden = len({each.row.label for each in board.rows if not each.row.published}) - len(
        {each.row.label for each in rows if not each.row.published}
    )
    if hidden:
        others = "row" if hidden == 1 else "rows"
        lines.append(f"{hidden} more {others} of earlier commands: `ganbench board --track {board.track.name}`")
    if any(ranked.row.published for ranked in rows):
        lines.append("published: rows of the published leaderboard that were trained and scored in the same way")
    return lines
