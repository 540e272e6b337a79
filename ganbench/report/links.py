"""Where the pages of a report lie, as seen from one another; names come from labels and are made safe."""

from __future__ import annotations

from dataclasses import dataclass

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.formatting import slug


def row_slug(row: Row) -> str:
    """Return the file name of a row: a published row stands beside the user's own of the same label."""
    return slug(f"{row.label} (published)" if row.published else row.label)


@dataclass(frozen=True)
class Links:
    """Addresses from a board's page; `single` where all lies in one file."""

    single: bool = False

    def folder(self, board: Board) -> str:
        return slug(board.name)

    def model(self, row: Row) -> str:
        """Return the address of a model's page, or of its section."""
        return f"#model-{row_slug(row)}" if self.single else f"models/{row_slug(row)}.html"

    def run(self, row: Row, key: str) -> str:
        """Return the address of a run's section on its model's page."""
        anchor = run_anchor(row, key)
        return f"#{anchor}" if self.single else f"{self.model(row)}#{anchor}"


def run_anchor(row: Row, key: str) -> str:
    """Return the id of a run's section."""
    return f"run-{row_slug(row)}-{slug(key)}"
