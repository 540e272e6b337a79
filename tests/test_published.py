"""What is published is what its runs say: the build fails where a table is stale."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from ganbench.boards.board import build_board, published_store
from ganbench.boards.publish import TRACK, read_request, rebuild
from ganbench.boards.terminal import table

ROOT = Path(__file__).parents[1]
BOARDS = ROOT / "leaderboards"
TRACKS = sorted(path.parent.name for path in BOARDS.glob(f"*/{TRACK}"))


def test_the_quick_board_is_published() -> None:
    assert "mnist5k-quick" in TRACKS


@pytest.mark.parametrize("track", TRACKS)
def test_a_board_is_rebuilt_from_its_runs(track: str, tmp_path: Path) -> None:
    boards = tmp_path / "leaderboards"
    shutil.copytree(BOARDS, boards, ignore=shutil.ignore_patterns("archive-*"))
    (boards / "archive-0.1").mkdir()
    names = (f"{track}.csv", f"{track}-runs.csv", f"{track}.md", "README.md")
    for name in names:
        (boards / name).unlink()
    rebuild(read_request(boards / track), boards)
    # Pictures are left out: their bytes depend on matplotlib's version.
    for name in names:
        assert (boards / name).read_text() == (BOARDS / name).read_text(), f"{name} is stale: ganbench publish"


def test_the_readme_shows_the_board() -> None:
    page = io.StringIO()
    board = build_board(read_request(BOARDS / "mnist5k-quick"), [published_store(BOARDS, "mnist5k-quick")])
    Console(file=page, width=100, color_system=None).print(table(board))
    shown = [line.rstrip() for line in page.getvalue().strip().splitlines()]
    assert any("dcgan" in line for line in shown)
    block = re.search(r"<!-- board -->\n+```\n(.*?)\n```", (ROOT / "README.md").read_text(), re.S)
    assert block, "README.md shows no board"
    assert [line.rstrip() for line in block[1].strip().splitlines()] == shown
