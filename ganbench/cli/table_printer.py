"""Tables of what there is, for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

FOLDED = 11
"""Characters that a column which may fold keeps, where not all may."""


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, fold: Sequence[str] | None = None
) -> None:
    """Print a table; on a pipe it is as wide as its content, so that nothing is cut.

    On a terminal too narrow for it cells are folded; where `fold` names columns, in those alone, and all stand closer.
    """
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1 if fold is None else 0)
    )
    for column in columns:
        folds = fold is None or column in fold
        table.add_column(column, overflow="fold", no_wrap=not folds, min_width=FOLDED if fold and folds else None)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=400)
    console.print(table)
