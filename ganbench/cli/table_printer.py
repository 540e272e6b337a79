"""Tables of what there is, for a terminal or a pipe."""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

import click

from ganbench.util.text import one_line

FOLDED = 11
"""Characters that a column which may fold keeps, where not all may."""
GAP = "  "


def print_line(text: str) -> None:
    """Print a sentence in one line; a terminal breaks it between words."""
    text = one_line(text)
    if sys.stdout.isatty():
        text = textwrap.fill(text, shutil.get_terminal_size().columns, break_long_words=False)
    click.echo(text)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    fold: Sequence[str] | None = None,
    drop: Sequence[str] = (),
) -> None:
    """Print a table; on a pipe it is as wide as its content, so that nothing is cut.

    On a terminal too narrow for it, columns of `drop` are left out, the first of them first, until it fits; then words
    are folded in the columns of `fold`, by default in all.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo("\n".join(format_table(title, columns, rows, width=width, fold=fold, drop=drop)))


def format_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int | None = None,
    fold: Sequence[str] | None = None,
    drop: Sequence[str] = (),
) -> list[str]:
    """Return the lines of a table, at most `width` wide where that is given and can be met; see `print_table`."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    names, left_out = list(columns), []
    widths = [max(map(_width, each)) for each in zip(names, *cells, strict=True)]
    for name in drop:
        if width is None or _total(widths) <= width or name not in names:
            continue
        at = names.index(name)
        left_out.append(name)
        del names[at], widths[at]
        for row in cells:
            del row[at]
    if width is not None and _total(widths) > width:
        widths = _folded(widths, names, width, fold)
    lines = [title, *_lines(names, widths), GAP.join("─" * each for each in widths)]
    for row in cells:
        lines += _lines(row, widths)
    if left_out:
        lines.append(f"(not shown here, the terminal is too narrow: {', '.join(left_out)})")
    return lines


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _folded(widths: list[int], names: list[str], width: int, fold: Sequence[str] | None) -> list[int]:
    """Return narrower widths: the widest column that may fold gives way first, down to a readable least."""
    widths = list(widths)
    may = [at for at, name in enumerate(names) if fold is None or name in fold]
    while _total(widths) > width:
        wide = [at for at in may if widths[at] > max(FOLDED, _width(names[at]))]
        if not wide:
            break
        widths[max(wide, key=lambda at: widths[at])] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a row's lines: one, unless a cell has to fold."""
    if all(len(cell) <= width for cell, width in zip(row, widths, strict=True)):
        return [GAP.join(map(_padded, row, widths)).rstrip()]
    folded = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, folded))
    filled = ([*each, *[""] * (height - len(each))] for each in folded)
    return [GAP.join(map(_padded, line, widths)).rstrip() for line in zip(*filled, strict=True)]


def _padded(cell: str, width: int) -> str:
    return cell.ljust(width) if cell.isascii() else cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """Return the cells of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
