"""The board as a table that a paper takes in with ``\\input``; it needs the package booktabs."""

from __future__ import annotations

from collections.abc import Iterable

from ganbench.boards.formatting import first_place
from ganbench.boards.table import Table, TableColumn, TableRow
from ganbench.util.text import one_line

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "±": r"$\pm$", "–": "--", "…": r"\ldots{}", "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
}  # fmt: skip


def escape(text: str) -> str:
    """Return text that LaTeX sets as it stands; letters beyond ASCII are left to the document's encoding, UTF-8."""
    return "".join(_SPECIAL.get(char, char) for char in one_line(text))


def latex(table: Table) -> str:
    """Return the main columns as a ``tabular``.

    The headline of a row is bold where the joint statement names that row alone, since then it is shown to be the best.
    """
    columns = table.main
    board = table.board
    lines = [
        rf"% {one_line(board.name)}: made by `ganbench board --format latex`; \usepackage{{booktabs}}",
        f"% {one_line(first_place(board))}{' (jointly at 95 %)' if board.possible_firsts else ''}",
        rf"\begin{{tabular}}{{{''.join('r' if column.numeric else 'l' for column in columns)}}}",
        r"\toprule",
        _line(escape(column.heading) for column in columns),
        r"\midrule",
    ]
    for before, row in zip((None, *table.rows), table.rows, strict=False):
        if before is not None and _part(before) != _part(row):
            lines.append(r"\midrule")
        lines.append(_line(_cell(table, row, column) for column in columns))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _part(row: TableRow) -> tuple[bool, bool]:
    """Return what rules part: what is ranked from what is not, and published rows from the user's own."""
    return row.ranked.row.published, row.ranked.row.role == "model"


def _cell(table: Table, row: TableRow, column: TableColumn) -> str:
    text = escape(row.cells[column.name].text)
    if not column.numeric:
        return text
    text = f"$-${text[1:]}" if text.startswith("-") and not text.startswith("--") else text
    best = row is table.best and column.name == table.board.headline.name
    return rf"\textbf{{{text}}}" if best else text


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
