"""The board for a terminal of any width, or a pipe: what there is no room for is named below."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.text import Text

from ganbench.boards.board import Board
from ganbench.boards.formatting import first_place
from ganbench.boards.rank import Ranked
from ganbench.boards.table import ALWAYS, TableColumn, TableRow, board_table
from ganbench.util.text import one_line, shorten
from ganbench.util.text_table import Heading, fold, lay_out

NARROW = 60
"""Columns of a terminal below which labels stand without their roles."""


class BoardTable:
    """A board that rich prints as wide as its console, with its failures and what was refused or superseded below.

    `only` are the labels of the user's rows that were asked for; published rows that compare stand below them.
    """

    def __init__(self, board: Board, only: Collection[str] | None = None) -> None:
        self.board = board
        self.rows = [each for each in board.rows if only is None or each.row.published or each.row.label in only]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        # Labels and reasons are `Text`, never markup: ``vae[latent_dim=64]`` would lose its brackets.
        yield Text(f"{self.board.name}: {one_line(self.board.track.summary)}")
        for line, style in self.lines(options.max_width):
            yield Text(line, style, no_wrap=True, overflow="ignore")
        for line in _below(self.board, self.rows):
            yield Text(line)

    def lines(self, width: int) -> Iterator[tuple[str, str]]:
        """Yield the lines of the table, at most `width` wide where that can be, and their styles."""
        table = board_table(self.board, self.rows)
        chosen = table.by_importance
        shown = [column for column in table.columns if column in chosen]
        drop = [shown.index(column) for column in reversed(chosen[ALWAYS:])]
        cells = [
            [_label(row, width) if column.name == "model" else row.cells[column.name].short for column in shown]
            for row in table.rows
        ]
        headings = [_heading(column, self.board) for column in shown]
        text = lay_out(headings, cells, width, drop, gap=" ")
        rule = text.rule, ""
        yield from ((line, "bold") for line in text.heading)
        yield rule
        for index, (ranked, lines) in enumerate(zip(self.rows, text.rows, strict=True)):
            before = self.rows[index - 1].row if index else ranked.row
            if (ranked.row.claimed, ranked.row.published) > (before.claimed, before.published):
                yield rule
            style = "dim" if ranked.row.role != "model" else "red" if ranked.row.headline is None else ""
            yield from ((line, style) for line in lines)
        absent = [shown[at] for at in reversed(text.dropped)]
        absent += [column for column in table.rest if column not in chosen]
        if absent:
            said = ", ".join(column.title for column in absent)
            yield from ((line, "") for line in fold(f"not shown here: {said}", width))


def table(board: Board, only: Collection[str] | None = None) -> BoardTable:
    """Return what ``console.print`` shows of a board; see `BoardTable`."""
    return BoardTable(board, only)


def _label(row: TableRow, width: int) -> str:
    """Return a label, with its role where there is room: what is not ranked is seen by its rank, too."""
    return one_line(row.ranked.row.label) if width < NARROW else row.cells["model"].short


def _heading(column: TableColumn, board: Board) -> Heading:
    """Return a heading, of two lines where it has two words, so that it is no wider than its numbers."""
    split = " " if column.info is None else "@"
    title = column.title.replace(split, f"\n{split.strip()}", 1)
    if column.name == board.headline.name:
        title = column.heading
    return Heading(title, column.numeric, "shorten" if column.name in ("model", "sampler") else "")


def _below(board: Board, rows: Sequence[Ranked]) -> list[str]:
    lines = [
        f"{shorten(one_line(ranked.row.label), 40)}: {one_line(reason, 300)}"
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
    if any(ranked.row.claimed for ranked in rows):
        lines.append("claimed: rows that others sent and nobody has checked; they are not ranked")
    return lines
