"""What is published is what its records say: the build fails where a table is stale."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from ganbench.boards.board import assemble
from ganbench.boards.publish import publish
from ganbench.boards.terminal import table

ROOT = Path(__file__).parents[1]
BOARDS = ROOT / "leaderboards"
TRACKS = sorted(path.parent.name for path in BOARDS.glob("*/records"))


def test_the_quick_board_is_published():
    assert "mnist5k-quick" in TRACKS


@pytest.mark.parametrize("track", TRACKS)
def test_a_board_is_rebuilt_from_its_records(track, tmp_path):
    boards = tmp_path / "leaderboards"
    shutil.copytree(BOARDS, boards)
    for name in (f"{track}.csv", f"{track}-trials.csv", f"{track}.md", "README.md"):
        (boards / name).unlink()
    publish(track, tmp_path / "runs", boards)
    # Pictures are left out: their bytes depend on matplotlib's version.
    for name in (f"{track}.csv", f"{track}-trials.csv", f"{track}.md", "README.md"):
        assert (boards / name).read_text() == (BOARDS / name).read_text(), f"{name} is stale: ganbench leaderboard"


def changed_since_published() -> bool:
    """Whether a run in this folder has added to the board, or git cannot tell."""
    words = ["git", "-C", str(ROOT), "status", "--porcelain", "--", "leaderboards"]
    try:
        return bool(subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError):
        return True


@pytest.mark.skipif(changed_since_published(), reason="leaderboards/ holds a run of your own, or this is no checkout")
def test_the_readme_shows_the_board():
    page = io.StringIO()
    Console(file=page, width=100, color_system=None).print(table(assemble("mnist5k-quick", None, BOARDS)))
    shown = [line.rstrip() for line in page.getvalue().strip().splitlines()]
    assert any("dcgan" in line for line in shown)
    block = re.search(r"<!-- board -->\n+```\n(.*?)\n```", (ROOT / "README.md").read_text(), re.S)
    assert block, "README.md shows no board"
    assert [line.rstrip() for line in block[1].strip().splitlines()] == shown
