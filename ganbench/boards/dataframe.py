"""The board as a table in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.boards.board import assemble
from ganbench.boards.csv_table import columns, values

if TYPE_CHECKING:
    import pandas as pd


def leaderboard(
    runs: str | Path = "runs", *, track: str, boards: str | Path = "leaderboards", fingerprint: str | None = None
) -> pd.DataFrame:
    """Return a track's board with the CSV's columns, one row a model, from local and published records.

    Nothing is written. Labels stand as they are, without the CSV's guard against formulas.
    Raises `RequestError` where there is no record of the track.
    """
    import pandas as pd

    board = assemble(track, Path(runs), Path(boards), fingerprint=fingerprint)
    return pd.DataFrame([values(ranked, board.metrics) for ranked in board.rows], columns=list(columns(board)))
