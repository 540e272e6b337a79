"""Tables of what there is, for a terminal or a pipe."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence

import click

from ganbench.util.text import one_line
from ganbench.util.text_table import Heading, fold, lay_out


def print_line(text: str, label: str = "") -> None:
    """Print a label and a sentence in one line.

    A terminal breaks it between words, below the sentence's beginning; a path or a hash stays in one piece.
    """
    line = "".join(char if char.isprintable() else " " for char in label + text)
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, 2 * len(label))
        line = textwrap.fill(
            line, width, subsequent_indent=" " * len(label), break_long_words=False, break_on_hyphens=False
        )
    click.echo(line)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    fold: Collection[str] | None = None,
    drop: Sequence[str] = (),
    right: Collection[str] = (),
) -> None:
    """Print a table; on a pipe it is as wide as its content, so that nothing is cut.

    On a terminal too narrow for it, columns of `drop` are left out, the first of them first, until it fits; then words
    are folded in the columns of `fold`, by default in all. Those of `right` hold numbers.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo("\n".join(format_table(title, columns, rows, width=width, fold=fold, drop=drop, right=right)))


def format_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int | None = None,
    fold: Collection[str] | None = None,
    drop: Sequence[str] = (),
    right: Collection[str] = (),
) -> list[str]:
    """Return the lines of a table, at most `width` wide where that is given and can be met; see `print_table`."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    titles = [
        Heading(name, name in right, "fold" if fold is None or name in fold else "") for name in columns
    ]  # fmt: skip
    table = lay_out(titles, cells, width, [columns.index(name) for name in drop if name in columns])
    lines = [*_wrapped(title, width), *table.heading, table.rule, *(line for row in table.rows for line in row)]
    if table.dropped:
        left_out = ", ".join(columns[at] for at in table.dropped)
        lines += _wrapped(f"not shown here, the terminal is too narrow: {left_out}", width)
    return lines


def _wrapped(text: str, width: int | None) -> list[str]:
    return [text] if width is None else fold(text, width)
