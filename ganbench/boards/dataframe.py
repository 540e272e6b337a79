"""The board as a table in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.boards.board import Board
from ganbench.boards.csv_table import columns, values
from ganbench.boards.table import board_table

if TYPE_CHECKING:
    import pandas as pd


def dataframe(board: Board) -> pd.DataFrame:
    """Return a board with the CSV's columns, one row a model; labels stand without the CSV's guard against formulas."""
    import pandas as pd

    return pd.DataFrame([values(row, board) for row in board_table(board).rows], columns=list(columns(board)))
