"""Publish a board: records, CSV, pictures, Markdown, and the index of all boards."""

from __future__ import annotations

from pathlib import Path

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board, assemble, build
from ganbench.boards.collect import Found, collect, records_folder
from ganbench.boards.csv_table import board_csv, trials_csv
from ganbench.boards.curves import draw_curves
from ganbench.boards.formatting import interval
from ganbench.boards.markdown import escape, markdown
from ganbench.boards.sample_grids import draw_overview, update_pictures
from ganbench.errors import RequestError
from ganbench.metric import MetricInfo
from ganbench.util.atomic_io import atomic_write, write_text


def publish(track: str, runs: Path, boards: Path, *, fingerprint: str | None = None) -> Board:
    """Write a track's board under `boards` from its local and its published records, and return it.

    Nothing written depends on the hour or on `runs` once the records lie beside the board: publishing again, even
    where `runs` is gone, gives the same files. Published records are never removed.
    Raises `RequestError` where there is no record of the track.
    """
    collection = collect(track, runs, boards, fingerprint)
    for found in (*collection.shown, *collection.hidden):
        _keep(found, records_folder(boards, track))
    board = build(collection)
    folder = boards / track
    samples = update_pictures(board, runs, folder)
    trainings = update_pictures(board, runs, folder / "training", "training.png")
    curves = draw_curves(board, folder / "curves.png")
    overview = draw_overview(board, samples, folder / "grids.png")
    write_text(boards / f"{track}.csv", board_csv(board))
    write_text(boards / f"{track}-trials.csv", trials_csv(board))
    write_text(boards / f"{track}.md", markdown(board, samples, trainings, curves=curves, overview=overview))
    write_text(boards / "README.md", index(boards, board))
    return board


def _keep(found: Found, folder: Path) -> None:
    """Copy a record's bytes, which may say more than this version of ganbench reads."""
    if not found.published:
        content = found.path.read_bytes()
        atomic_write(folder / f"{found.record.key}.json", lambda file: file.write(content))


def index(boards: Path, current: Board) -> str:
    """Return ``README.md``: one line a board, made from published records so that it is the same everywhere."""
    lines = []
    for track in sorted(path.parent.name for path in boards.glob("*/records") if any(path.glob("*.json"))):
        try:
            board = current if track == current.track.name else assemble(track, None, boards)
            lines.append(_line(board))
        except RequestError as error:
            lines.append(f"- {escape(track)}: cannot be read: {escape(str(error), 240)}")
    intro = "Same data, same budget, training seeds as replicates. Each page says how its numbers were made."
    return "\n\n".join(["# Leaderboards", intro, "\n".join(lines)]) + "\n"


def _line(board: Board) -> str:
    models = f"{len(board.models)} model{'' if len(board.models) == 1 else 's'}"
    leaders = [f"{escape(each.row.label, 60)} ({_score(each.row, board.headline)})" for each in board.leaders]
    tied = ", not told apart" if len(leaders) > 1 else ""
    best = f"best: {', '.join(leaders)}{tied}" if leaders else "none ranked yet"
    name = board.track.name
    return f"- [{name}]({name}.md): {escape(board.track.summary)}; {models}; {best}"


def _score(row: Row, headline: MetricInfo) -> str:
    return f"{headline.title} {interval(row.headline, headline.digits)}"
