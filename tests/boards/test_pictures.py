"""Pictures of boards of many models: eight curves, twelve grids, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ganbench.boards import curves, sample_grids
from ganbench.boards.board import Board
from ganbench.boards.write import write_board

from .factory import board, make, seeds, write


def many(count: int) -> list:  # type: ignore[type-arg]
    """Return boards' runs: `count` models of two seeds, the worst first by name, and three baselines."""
    made = [make("real", 0, 2.0, role="ceiling"), make("replay", 0, 1.6, role="memoriser"),
            make("noise", 0, 905.0, role="floor")]  # fmt: skip
    for at in range(count):
        made += seeds(f"m{count - at:02}", (10.0 * 1.2**at, 10.3 * 1.2**at), curve=True)
    return made


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Board, Path]]:
    found = {}
    for count in (3, 14):
        root = tmp_path_factory.mktemp(f"of{count}")
        write(root / "runs", many(count), pictures=True)
        found[count] = board(root / "runs"), root / "boards"
        write_board(*found[count])
    return found


def labels(rows: list) -> list[str]:  # type: ignore[type-arg]
    return [row.label for row in rows]


def test_the_best_eight_have_curves_and_the_others_are_named(boards: dict[int, tuple[Board, Path]]) -> None:
    shown, others = curves.chosen(boards[14][0])
    assert labels(shown) == [f"m{14 - at:02}" for at in range(8)]
    assert labels(others) == [f"m{6 - at:02}" for at in range(6)]
    page = (boards[14][1] / "tiny-quick.md").read_text()
    assert "Drawn are the best 8 models; not drawn: m06, m05, m04, m03, m02, m01." in page
    assert curves.chosen(boards[3][0])[1] == []
    assert "not drawn" not in (boards[3][1] / "tiny-quick.md").read_text()


def test_the_overview_shows_real_images_then_the_best_models(boards: dict[int, tuple[Board, Path]]) -> None:
    shown, folder = boards[14]
    samples = {each.row.label: Path("x") for each in shown.rows}
    first, others = sample_grids.chosen(shown, samples)
    assert labels(first) == ["real", *(f"m{14 - at:02}" for at in range(11))]
    assert labels(others) == ["m03", "m02", "m01", "replay", "noise"]
    page = (folder / "tiny-quick.md").read_text()
    assert "The picture shows 12 rows; 5 more are among the links. One by one: [real](" in page
    assert "[m01](tiny-quick/m01.png)" in page
    small, _ = sample_grids.chosen(boards[3][0], samples)
    assert labels(small) == ["real", "m03", "m02", "m01", "replay", "noise"], "there is room for all"


@pytest.mark.parametrize("count", [3, 14])
def test_pictures_stay_within_a_page(boards: dict[int, tuple[Board, Path]], count: int) -> None:
    folder = boards[count][1] / "tiny-quick"
    for name in ("grids.png", "curves.png"):
        with Image.open(folder / name) as picture:
            assert picture.width <= 1400
            assert picture.height <= 1300


def test_a_published_row_of_a_label_that_the_user_has_is_drawn_once(tmp_path: Path) -> None:
    write(tmp_path / "published" / "tiny-quick" / "runs", seeds("a", (1.0, 1.1)), pictures=True)
    write(tmp_path / "runs", seeds("a", (9.0, 9.1), source="cd" * 32), pictures=True)
    shown = board(tmp_path / "runs", published=tmp_path / "published")
    assert len(shown.models) == 2
    first, _ = sample_grids.chosen(shown, {"a": Path("x")})
    assert [row.published for row in first] == [False]


@pytest.mark.parametrize(("form", "starts"), [("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_curves_for_a_paper_have_the_same_bytes_every_time(tmp_path: Path, form: str, starts: bytes) -> None:
    shown = board(tmp_path / "runs", seeds("a_$x$", (9.0, 9.5), curve=True))
    contents = []
    for name in ("one", "two"):
        write_board(shown, tmp_path / name, form)
        contents.append((tmp_path / name / "tiny-quick" / f"curves.{form}").read_bytes())
        assert (tmp_path / name / "tiny-quick" / "curves.png").exists(), "the page shows it"
    assert contents[0] == contents[1]
    assert contents[0].startswith(starts)
    assert not any(word in contents[0] for word in (b"CreationDate", b"<dc:date>", b"Matplotlib v"))
    assert f"[{form.upper()}](tiny-quick/curves.{form})" in (tmp_path / "one" / "tiny-quick.md").read_text()


def test_a_picture_of_an_older_board_does_not_stay(tmp_path: Path) -> None:
    shown = board(tmp_path / "runs", seeds("a", (9.0, 9.5), curve=True))
    folder = tmp_path / "boards" / "tiny-quick"
    write_board(shown, tmp_path / "boards", "svg")
    assert {path.name for path in folder.glob("curves.*")} == {"curves.png", "curves.svg"}
    write_board(shown, tmp_path / "boards")
    assert {path.name for path in folder.glob("curves.*")} == {"curves.png"}
    write_board(board(tmp_path / "other", seeds("a", (9.0, 9.5))), tmp_path / "boards")
    assert not list(folder.glob("curves.*"))
