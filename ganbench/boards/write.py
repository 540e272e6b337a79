"""A board as files: CSV, Markdown, pictures."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ganbench.boards.board import Board
from ganbench.boards.csv_table import board_csv, runs_csv
from ganbench.boards.curves import draw_curves
from ganbench.boards.markdown import markdown
from ganbench.boards.sample_grids import draw_overview, update_pictures
from ganbench.util.atomic_io import write_text


class Files(NamedTuple):
    """What was written."""

    markdown: Path
    csv: Path
    pictures: Path

    def __str__(self) -> str:
        return f"{self.markdown}  {self.csv}  pictures in {self.pictures}/"


def write_board(board: Board, folder: Path, curves_as: str = "png") -> Files:
    """Write ``NAME.md``, ``NAME.csv``, ``NAME-runs.csv`` and pictures in ``NAME/``; nothing depends on the hour.

    The page shows curves as PNG; ``svg`` or ``pdf`` lies beside that, for a paper. Samples are pixels, and PNG.
    """
    name, pictures = board.name, folder / board.name
    samples = update_pictures(board, pictures)
    trainings = update_pictures(board, pictures / "training", "training.png")
    curves = draw_curves(board, pictures, curves_as)
    overview = draw_overview(board, samples, pictures / "grids.png")
    files = Files(folder / f"{name}.md", folder / f"{name}.csv", pictures)
    write_text(files.csv, board_csv(board))
    write_text(folder / f"{name}-runs.csv", runs_csv(board))
    page = markdown(board, samples, trainings, curves=curves, overview=overview, curves_as=curves_as)
    write_text(files.markdown, page)
    return files
