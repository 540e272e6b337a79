"""``ganbench report`` and which boards it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.boards.board import BoardRequest, build_board, published_store
from ganbench.boards.csv_table import board_csv
from ganbench.boards.publish import read_request
from ganbench.experiment.protocols import board_request
from ganbench.registry.builtins import discover
from tests.conftest import Answer, call
from tests.report.html_page import Page
from tests.store.factory import put, run_record, score_record, spec

ROOT = Path(__file__).parents[2]
TRACK = "digits-smoke"


@pytest.fixture(scope="module")
def request_() -> BoardRequest:
    return board_request(TRACK)


@pytest.fixture
def place(tmp_path: Path, request_: BoardRequest) -> Path:
    """Return a folder with a store of two runs of one model."""
    fill(tmp_path / "runs", request_, "tiny")
    return tmp_path


def fill(runs: Path, request: BoardRequest, label: str) -> None:
    for index, fid in enumerate((10.0, 12.0)):
        record = run_record(spec(label, index, **request.training.model_dump()), points=0)
        put(runs, record, [score_record(record, request.scoring, fid=fid)])


def report(place: Path, *words: object, published: Path | None = None) -> Answer:
    places = ("--runs", place / "runs", "--published", published or place / "leaderboards", "--out", place / "report")
    return call("report", *places, *words)


def test_a_site_is_written(place: Path) -> None:
    answer = report(place)
    assert answer.status == 0, answer.err
    assert answer.out.startswith(f"{place / 'report' / 'index.html'}  1 board, ")
    assert "tiny" in (place / "report" / TRACK / "index.html").read_text()
    assert (place / "report" / TRACK / "models" / "tiny.html").is_file()
    assert report(place, "--quiet") == Answer(0, "", "")


def test_the_csv_of_the_site_is_that_of_the_board(place: Path) -> None:
    assert report(place, "--track", TRACK).status == 0
    call("board", "--track", TRACK, "--runs", place / "runs", "--published", place / "leaderboards", "--boards", place)
    for name, mine in ((f"{TRACK}.csv", "board.csv"), (f"{TRACK}-runs.csv", "runs.csv")):
        assert (place / name).read_bytes() == (place / "report" / TRACK / mine).read_bytes()


def test_one_file_a_board_replaces_the_site(place: Path) -> None:
    report(place)
    answer = report(place, "--single-file")
    assert answer.status == 0, answer.err
    assert [path.name for path in (place / "report").glob("[!.]*")] == [f"{TRACK}.html"]
    assert Page((place / "report" / f"{TRACK}.html").read_text()).of("article")


def test_published_boards_need_no_store_and_read_as_published(tmp_path: Path) -> None:
    answer = report(tmp_path, published=ROOT / "leaderboards")
    assert answer.status == 0, answer.err
    site = tmp_path / "report"
    for path in (ROOT / "leaderboards").glob("*/track.json"):
        name = path.parent.name
        alone = build_board(read_request(path.parent), [published_store(ROOT / "leaderboards", name)])
        assert (site / name / "board.csv").read_text() == board_csv(alone)
        assert "(published)" not in (site / name / "index.html").read_text()


def test_published_rows_stand_beside_the_users_own(place: Path, request_: BoardRequest) -> None:
    fill(place / "theirs", request_, "other")
    places = ("--published", place / "leaderboards", "--track", TRACK, "--quiet")
    assert call("publish", "--runs", place / "theirs", *places).status == 0
    assert report(place).status == 0
    page = (place / "report" / TRACK / "index.html").read_text()
    assert "other (published)" in page and ">tiny<" in page
    call("publish", "--runs", place / "runs", *places)
    assert report(place).status == 0
    assert "other (published)" in (place / "report" / TRACK / "index.html").read_text()


def test_requests_that_cannot_be_met_are_one_line(place: Path, tmp_path: Path) -> None:
    answers = {
        "no run of any track": report(tmp_path / "empty"),
        "track 'ring8-quick': no run of it": report(place, "--track", "ring8-quick"),
        "track 'digits-smoke+7steps': no run of it": report(place, "--track", TRACK, "--budget", "7steps"),
        "did you mean 'digits-smoke'": report(place, "--track", "digits-smok"),
    }
    for said, answer in answers.items():
        assert answer.status == 2 and said in answer.err and answer.err.count("\n") == 1, answer
    assert not (place / "report").exists()
    (place / "report").mkdir()
    (place / "report" / "thesis.tex").write_text("mine")
    answer = report(place)
    assert answer.status == 2 and "--out" in answer.err and answer.err.count("\n") == 1
    assert [path.name for path in (place / "report").iterdir()] == ["thesis.tex"]


def test_a_track_that_cannot_be_shown_here_is_told_and_the_others_are_shown(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(place / "empty"))
    asked: list[str] = []

    def download(folder: str, root: Path) -> None:
        asked.append(folder)
        raise OSError("no network")

    monkeypatch.setattr("ganbench.data.mnist._download", download)
    unknown = report(place, "--track", "fashion-standard")
    assert "track 'fashion-standard': no run of it" in unknown.err
    assert asked == []  # nothing is fetched for a track without runs
    budget = discover().get("tracks", "mnist-standard").thing.budget
    record = run_record(spec("tiny", 0, dataset="mnist", budget=budget))
    put(place / "runs", record)
    answer = report(place)
    assert answer.status == 0
    assert "left out: track 'mnist-standard': data set 'mnist': not found" in answer.err
    assert (place / "report" / TRACK / "index.html").is_file()
