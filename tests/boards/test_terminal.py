"""A board in terminals of any width: columns go by importance, and nothing breaks by letters."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ganbench.boards.board import Board
from ganbench.boards.table import board_table
from ganbench.boards.terminal import BoardTable, table

from .factory import TRACK, board, make, seeds, write

LONG = "dcgan[batch_norm=false,beta1=0.5,lr=0.0002]"
SHARES = dict.fromkeys(("precision", "recall", "coverage", "cas_oracle"), 0.5)
WIDTHS = (40, 60, 80, 100, 200)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Board:
    made = [
        make("real", role="ceiling", **SHARES),
        *seeds("dcgan", (19.0, 20.0, 21.5), **SHARES),
        *seeds(LONG, (120.0, 130.0, 140.0), **SHARES),
        make("broken", status="oom", reason="out of memory at 9 GiB while it was building the model"),  # type: ignore[arg-type]
    ]
    return board(tmp_path_factory.mktemp("wide") / "runs", made)


def printed(shown: Board, width: int) -> list[str]:
    page = io.StringIO()
    Console(file=page, width=width, color_system=None).print(table(shown))
    return [line.rstrip() for line in page.getvalue().splitlines()]


@pytest.mark.parametrize("width", WIDTHS)
def test_every_width_has_whole_numbers_and_labels_on_one_line(shown: Board, width: int) -> None:
    lines = printed(shown, width)
    assert max(map(len, lines)) <= width
    row = next(line for line in lines if line.startswith("2"))
    interval = board_table(shown).rows[2].cells["fid"].short
    assert interval in row
    assert row.split()[1].startswith("dcgan[")
    assert row.split()[1].endswith("lr=0.0002]" if width > 40 else "02]")
    assert (LONG in row) is (width == 200)
    assert " FID ↓" in "\n".join(lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_not_shown_is_named_and_nothing_else(shown: Board, width: int) -> None:
    lines = [line for line, _ in BoardTable(shown).lines(width)]
    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    heads = " ".join(" ".join(lines[:rule]).split())
    below = " ".join(lines[rule + 4 + 1 :])
    assert below.startswith("not shown here: ") or not below
    hidden = below.removeprefix("not shown here: ").split(", ") if below else []
    every = [column.title for column in board_table(shown).by_importance]
    assert set(hidden) <= set(every)
    seen = [title for title in every if title not in hidden]
    for title in seen:
        assert all(word in heads for word in title.split()), title
    assert seen == every[: len(seen)], "the least important go first"


def test_the_narrowest_shows_rank_model_and_headline(shown: Board) -> None:
    real = next(line for line in printed(shown, 40) if line.startswith("–    real"))
    assert "20.0 [" in real
    assert "(ceiling)" not in real, "that it has no rank says so"
    assert "real (ceiling)" in "\n".join(printed(shown, 80))


@pytest.mark.parametrize("width", [40, 80])
def test_captions_wrap_at_words(shown: Board, width: int) -> None:
    said = "out of memory at 9 GiB while it was building the model"
    lines = printed(shown, width)
    first = next(at for at, line in enumerate(lines) if line.startswith("broken: oom"))
    words = " ".join(lines[first : first + 4]).split()
    assert " ".join(words).startswith(f"broken: oom: {said} (1 of 1 runs)")


def test_published_rows_stand_below_a_rule(tmp_path: Path) -> None:
    write(tmp_path / "published" / TRACK.name / "runs", seeds("theirs", (1.0, 1.1)))
    found = board(tmp_path / "runs", seeds("mine", (9.0, 9.1)), published=tmp_path / "published")
    lines = [line for line, _ in BoardTable(found).lines(80)]
    rules = [at for at, line in enumerate(lines) if line.startswith("─")]
    assert len(rules) == 2
    assert "mine" in lines[rules[1] - 1]
    assert "theirs (published)" in lines[rules[1] + 1]
