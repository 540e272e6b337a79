"""A table as lines of text: where there is little room, columns go first, then labels shorten and words fold.

Numbers and headings never break, and no word is cut by letters: one that is longer than its column is shortened in its
middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ganbench.util.text import cells, shorten

READABLE = 32
"""Cells that a column which folds is wide before other columns are dropped for it, if its content is as wide."""
LABEL = 0.3
"""The share of the width that a column which shortens has before other columns are dropped for it."""
LEAST = 11
"""Cells below which no column folds or shortens."""


@dataclass(frozen=True)
class Heading:
    """A heading, which may have several lines, and how its cells give way; numbers stand `right`."""

    title: str
    right: bool = False
    gives_way: Literal["", "fold", "shorten"] = ""

    @property
    def width(self) -> int:
        return max(map(cells, self.title.split("\n")))


@dataclass(frozen=True)
class TextTable:
    """The lines of a heading and of every row, the widths of columns, and the positions of those that were dropped."""

    heading: list[str]
    rows: list[list[str]]
    widths: list[int]
    gap: str
    dropped: list[int]

    @property
    def rule(self) -> str:
        """The line below the heading: one piece where columns are a space apart, else one for each."""
        return ("─" if self.gap == " " else self.gap).join("─" * width for width in self.widths)


def lay_out(
    columns: Sequence[Heading],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    drop: Sequence[int] = (),
    gap: str = "  ",
) -> TextTable:
    """Return a table at most `width` wide, where that is given and can be met.

    Columns at the positions of `drop` go, the first of them first, until the others fit with those that give way at a
    readable width. What room there is then, these have.
    """
    natural = [max(column.width, *map(cells, (row[at] for row in rows)), 0) for at, column in enumerate(columns)]
    kept = list(range(len(columns)))
    widths, dropped = list(natural), []
    if width is not None:
        at_least = [min(wide, _readable(column, width)) for column, wide in zip(columns, natural, strict=True)]
        for at in drop:
            if _total([at_least[each] for each in kept], gap) <= width:
                break
            kept.remove(at)
            dropped.append(at)
        room = width - len(gap) * (len(kept) - 1)
        widths = _shared([columns[at] for at in kept], [natural[at] for at in kept], _words(rows, kept), room)
    shown = [columns[at] for at in kept]
    laid = [_lines([row[at] for at in kept], shown, widths, gap) for row in rows]
    return TextTable(_heading(shown, widths, gap), laid, widths, gap, dropped)


def _readable(column: Heading, width: int) -> int:
    wide = {"fold": READABLE, "shorten": max(LEAST, int(LABEL * width)), "": width}[column.gives_way]
    return max(column.width, wide)


def _total(widths: Sequence[int], gap: str) -> int:
    return sum(widths) + len(gap) * (len(widths) - 1)


def _words(rows: Sequence[Sequence[str]], kept: Sequence[int]) -> list[int]:
    """Return the width of the longest word of each column."""
    return [max((cells(word) for row in rows for word in row[at].split()), default=0) for at in kept]


def _shared(columns: Sequence[Heading], natural: Sequence[int], words: Sequence[int], room: int) -> list[int]:
    """Return widths: the widest column that gives way loses first, down to its longest word, and then below it."""
    widths = list(natural)
    for floors in (
        [max(LEAST, column.width, word if column.gives_way == "fold" else 0)
         for column, word in zip(columns, words, strict=True)],
        [max(LEAST, column.width) for column in columns],
    ):  # fmt: skip
        while sum(widths) > room:
            wide = [at for at, column in enumerate(columns) if column.gives_way and widths[at] > floors[at]]
            if not wide:
                break
            widths[max(wide, key=lambda at: widths[at])] -= 1
    return widths


def _heading(columns: Sequence[Heading], widths: Sequence[int], gap: str) -> list[str]:
    titles = [column.title.split("\n") for column in columns]
    height = max(map(len, titles), default=0)
    filled = [[""] * (height - len(title)) + title for title in titles]
    return [_joined(line, columns, widths, gap) for line in zip(*filled, strict=True)]


def _lines(row: Sequence[str], columns: Sequence[Heading], widths: Sequence[int], gap: str) -> list[str]:
    """Return a row's lines: one, unless a cell has to fold."""
    if all(cells(cell) <= width for cell, width in zip(row, widths, strict=True)):
        return [_joined(row, columns, widths, gap)]
    folded = [_broken(cell, column, width) for cell, column, width in zip(row, columns, widths, strict=True)]
    height = max(map(len, folded))
    filled = [[*each, *[""] * (height - len(each))] for each in folded]
    return [_joined(line, columns, widths, gap) for line in zip(*filled, strict=True)]


def _broken(cell: str, column: Heading, width: int) -> list[str]:
    if not column.gives_way:
        return [cell]
    return [shorten(cell, width)] if column.gives_way == "shorten" else fold(cell, width)


def fold(text: str, width: int) -> list[str]:
    """Return lines broken at spaces; a word longer than a line is shortened in its middle."""
    lines, line = [], ""
    for word in text.split():
        word = shorten(word, width)
        if line and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _joined(row: Sequence[str], columns: Sequence[Heading], widths: Sequence[int], gap: str) -> str:
    padded = []
    for cell, column, width in zip(row, columns, widths, strict=True):
        blank = " " * (width - cells(cell))
        padded.append(blank + cell if column.right else cell + blank)
    return gap.join(padded).rstrip()
