"""``ganbench board``, ``publish`` and ``remove``, on runs of a track that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.boards.board import BoardRequest
from ganbench.experiment.protocols import board_request
from tests.conftest import at, call
from tests.store.factory import put, run_record, score_record, spec

TRACK = "digits-smoke"


@pytest.fixture(scope="module")
def request_() -> BoardRequest:
    return board_request(TRACK)


@pytest.fixture
def place(tmp_path: Path, request_: BoardRequest) -> Path:
    """Return a folder with a store of two runs of one model."""
    for index, fid in enumerate((10.0, 12.0)):
        record = run_record(spec("tiny", index, **request_.training.model_dump()), points=0)
        put(tmp_path / "runs", record, [score_record(record, request_.scoring, fid=fid)])
    return tmp_path


def test_a_board_is_shown_and_written(place: Path) -> None:
    answer = call("board", "--track", TRACK, *at(place))
    assert answer.status == 0, answer.err
    assert "tiny" in answer.out
    assert (place / "boards" / "digits-smoke.csv").is_file()
    assert not (place / "leaderboards").exists()
    quiet = call("board", "--track", TRACK, "--quiet", *at(place))
    assert (quiet.status, quiet.out) == (0, "")


@pytest.mark.parametrize("more", [("--budget", "7steps"), ("--precision", "bf16"), ("--against", "validation")])
def test_boards_of_other_protocols_are_boards_of_their_own(place: Path, more: tuple[str, str]) -> None:
    answer = call("board", "--track", TRACK, *more, *at(place))
    if more[0] == "--against":  # it was trained alike, and says that it was not scored
        assert answer.status == 0
        assert "not scored" in answer.out
        assert (place / "boards" / "digits-smoke@validation.md").is_file()
        assert not (place / "boards" / "digits-smoke.md").exists()
    else:
        assert answer.status == 2
        assert "no run of it in" in answer.err
        assert not (place / "boards").exists()


def test_an_empty_store_is_a_request_error(tmp_path: Path) -> None:
    for command in ("board", "publish"):
        answer = call(command, "--track", TRACK, *_without_boards(tmp_path, command))
        assert (answer.status, len(answer.err.strip().splitlines())) == (2, 1)
    assert not (tmp_path / "leaderboards" / "README.md").exists()


def test_publish_and_remove(place: Path) -> None:
    published = place / "leaderboards"
    answer = call("publish", "--track", TRACK, *_without_boards(place, "publish"))
    assert answer.status == 0, answer.err
    assert "published 2 runs" in answer.out
    assert "1 model; best: not known, since that takes two models" in (published / "README.md").read_text()
    places = _without_boards(place, "remove")
    asked = call("remove", "tiny", *places)
    assert asked.status == 2
    assert "4 runs would be removed: pass --yes" in asked.err
    done = call("remove", "tiny", "--yes", *places)
    assert done.status == 0, done.err
    assert done.out.strip().endswith("removed 4 runs")
    assert "tiny" not in (published / "digits-smoke.csv").read_text()
    assert list((place / "runs").iterdir()) == []
    again = call("remove", "tiny", "--yes", *places)
    assert again.status == 2
    assert "no run of that key" in again.err


def _without_boards(place: Path, command: str) -> tuple[object, ...]:
    words = at(place)
    return words if command == "board" else (*words[:2], *words[4:])


def test_what_cannot_be_published_leaves_no_folder(tmp_path: Path) -> None:
    answer = call("publish", "--runs", tmp_path / "runs", "--published", tmp_path / "leaderboards")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "nothing to publish" in answer.err
    assert not list(tmp_path.iterdir())
