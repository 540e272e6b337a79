"""The board as one plain ``<table>`` for a page of one's own: no style, no script, every label escaped."""

from __future__ import annotations

from html import escape

from ganbench.boards.formatting import first_place
from ganbench.boards.table import Table, TableColumn, TableRow
from ganbench.util.text import one_line


def html_table(table: Table) -> str:
    """Return all columns, with the notes on rows; the headline is strong where one row is shown to be the best."""
    note = next(column for column in table.columns if column.name == "note")
    columns = [column for column in table.columns if column in (*table.main, *table.rest)] + [note]
    board = table.board
    heads = "".join(f'<th scope="col">{_text(column.heading)}</th>' for column in columns)
    lines = [
        "<table>",
        f"<caption>{_text(board.name)}: {_text(board.track.summary)}; {_text(first_place(board))}</caption>",
        f"<thead><tr>{heads}</tr></thead>",
        "<tbody>",
        *(f"<tr>{''.join(_cell(table, row, column) for column in columns)}</tr>" for row in table.rows),
        "</tbody>",
        "</table>",
    ]
    return "\n".join(lines) + "\n"


def _cell(table: Table, row: TableRow, column: TableColumn) -> str:
    cell = row.cells[column.name]
    text = _text(str(cell.value) if column.name == "note" else cell.text)
    if column.name == "model":
        return f'<th scope="row">{text}</th>'
    best = row is table.best and column.name == table.board.headline.name
    return f"<td>{f'<strong>{text}</strong>' if best else text}</td>"


def _text(text: str) -> str:
    return escape(one_line(text))
