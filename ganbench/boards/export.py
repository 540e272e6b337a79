"""A board in one of the formats that other programs read."""

from __future__ import annotations

from collections.abc import Callable

from ganbench.boards.board import Board
from ganbench.boards.csv_table import board_csv
from ganbench.boards.html_table import html_table
from ganbench.boards.json_table import json_table
from ganbench.boards.latex import latex
from ganbench.boards.markdown import markdown_table
from ganbench.boards.table import Table, board_table

_WRITERS: dict[str, Callable[[Table], str]] = {
    "latex": latex,
    "html": html_table,
    "json": json_table,
    "md": lambda table: markdown_table(table, table.main) + "\n",
    "csv": lambda table: board_csv(table.board),
}


def export(board: Board, form: str) -> str:
    """Return a board as ``latex``, ``html``, ``json``, ``md`` (the main table alone) or ``csv`` (as the file)."""
    return _WRITERS[form](board_table(board))
