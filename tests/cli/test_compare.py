"""``ganbench compare``: rows of a board and reports, from the command line and from Python."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

import ganbench
from ganbench.boards.board import BoardRequest
from ganbench.boards.compare import compare_on
from ganbench.cli.comparison_view import show_rows
from ganbench.data.dataset import Dataset
from ganbench.experiment.protocols import board_request
from ganbench.store.run_record import RunStatus
from tests.boards.factory import board, full
from tests.conftest import Answer, call
from tests.store.factory import put, run_record, score_record, spec

TRACK = "digits-smoke"


@pytest.fixture(scope="module")
def request_() -> BoardRequest:
    return board_request(TRACK)


def add(store: Path, request: BoardRequest, label: str, fids: tuple[float, ...], failed: int = 0) -> None:
    for index in range(len(fids) + failed):
        asked = spec(label, index, **request.training.model_dump())
        if index < len(fids):
            record = run_record(asked, points=0)
            put(store, record, [score_record(record, request.scoring, fid=fids[index])])
        else:
            put(store, run_record(asked, points=0, status=RunStatus.OOM, reason="out of memory at 9 GiB"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, request_: BoardRequest) -> Path:
    """A store and a published board of three labels, one of which is in both."""
    folder = tmp_path_factory.mktemp("place")
    add(folder / "runs", request_, "good", (10.0, 11.0, 12.0))
    add(folder / "runs", request_, "tiny[latent_dim=64]", (40.0, 41.0), failed=1)
    published = folder / "leaderboards" / TRACK / "runs"
    add(published, request_, "theirs", (20.0, 21.0, 22.0))
    add(published, request_, "good", (30.0, 31.0, 32.0, 33.0))
    return folder


def compare(place: Path, *words: object) -> Answer:
    return call("compare", *words, "--track", TRACK, "--runs", place / "runs", "--published", place / "leaderboards")


def test_two_rows(place: Path) -> None:
    answer = compare(place, "good", "theirs")
    assert answer.status == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith("good is better than theirs (published): FID 11.0 against 21.0, a ratio of 0.523 [")
    assert lines[2:4] == ["A = good, 3 runs", "B = theirs (published), 3 runs"]
    assert any(line.split() == ["raw", "wins", "of", "A,", "same", "seed", "3", "of", "3"] for line in lines)
    assert any(line.startswith("FID ↓ ") for line in lines)
    assert "no curves of FID" in answer.out
    assert any(line.split() == ["peak", "memory", "of", "training,", "MiB", "300", "300"] for line in lines)


def test_labels_with_brackets_failures_and_published_rows(place: Path) -> None:
    answer = compare(place, "good (published)", "tiny[latent_dim=64]")
    assert answer.status == 0, answer.err
    assert "A = good (published), 4 runs" in answer.out
    assert "B = tiny[latent_dim=64], 3 runs, 1 of them failed or not scored" in answer.out
    assert "B: oom: out of memory at 9 GiB (1 of 3 runs)" in answer.out


def test_json_is_what_python_returns(place: Path) -> None:
    answer = compare(place, "good", "theirs", "--json")
    assert answer.status == 0, answer.err
    places = {"runs": place / "runs", "published": place / "leaderboards"}
    assert json.loads(answer.out) == ganbench.compare("good", "theirs", track=TRACK, **places)
    own = ganbench.compare("good", "tiny[latent_dim=64]", track=TRACK, runs=place / "runs", published=None)
    assert own["b"]["failures"] == [{"status": "oom", "reason": "out of memory at 9 GiB", "count": 1, "total": 3}]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("good", "theirz"), "'theirz' is no row of the board digits-smoke (did you mean 'theirs'?); there is: good,"),
        (("good", "good"), "'good' and 'good' are the same row of the board digits-smoke"),
        (
            ("good", "good", "--budget", "7steps"),
            "the board digits-smoke+7steps has no rows: `ganbench run` trains some",
        ),
        (("good", "a.json"), "compare two rows of a board, or two reports (.json), not one of each"),
        (("a.json", "b.json"), "--track applies to rows of a board"),
    ],
)
def test_a_wrong_request_is_one_line(place: Path, words: tuple[str, ...], why: str) -> None:
    answer = compare(place, *words)
    assert (answer.status, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert why in answer.err


def test_it_reads_at_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "80")
    made = board(tmp_path, full())
    for a, b in (("dcgan", "vae[latent_dim=64]"), ("dcgan", "lone"), ("broken", "vanilla"), ("real", "noise")):
        with redirect_stdout(Terminal()) as screen:
            show_rows(compare_on(made, a, b))
        assert max(map(len, screen.getvalue().splitlines())) <= 80
    with redirect_stdout(Terminal()) as screen:
        show_rows(compare_on(made, "dcgan", "vanilla"))
    assert "FID at equal images seen, n = 500 samples" in screen.getvalue()
    # the factory's curves: at the first point FID is twice the final one, 20.2 and 85.0 on average
    assert ["1,000", "40.3", "170", "0.237"] in [line.split() for line in screen.getvalue().splitlines()]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """Reports of the same digits: 200 and again, 150 of them, and against the validation split."""
    folder = tmp_path_factory.mktemp("reports")
    np.save(folder / "made.npy", digits.train.images[:200])
    options = ("--track", TRACK, "--metrics", "fid,is", "--device", "cpu", "--quiet")
    for name, more in {"a": (), "again": (), "fewer": ("--samples", 150), "other": ("--against", "validation")}.items():
        answer = call("evaluate", folder / "made.npy", *options, *more, "--json", folder / f"{name}.json")
        assert answer.status == 0, answer.err
    return folder


def test_equal_protocols(reports: Path) -> None:
    answer = call("compare", reports / "a.json", reports / "again.json")
    assert answer.status == 0, answer.err
    first = answer.out.splitlines()[0]
    assert first.startswith("The two reports were made in the same way, so their numbers compare: FID ")
    assert first.endswith("z = +0.0. Both hold the same samples.")
    assert "differences" not in answer.out


def test_other_protocols_are_named_before_the_numbers(reports: Path) -> None:
    answer = call("compare", reports / "a.json", reports / "fewer.json")
    assert answer.status == 1, answer.err
    assert "These numbers do not compare: the reports differ in n of samples." in answer.out
    assert answer.out.index("n of samples  200  150  all") < answer.out.index("values ± standard errors")
    assert "* FID ↓" in answer.out and "* IS ↑" in answer.out
    split = call("compare", reports / "a.json", reports / "other.json")
    assert split.status == 1, split.err
    assert "Some of these numbers do not compare (FID)" in split.out
    assert "\nsplit               test          validation    FID" in split.out
    assert "\nIS ↑" in split.out.replace("\n  IS", "\nIS")


def test_reports_as_json_and_from_python(reports: Path) -> None:
    answer = call("compare", reports / "a.json", reports / "other.json", "--json")
    assert answer.status == 1, answer.err
    found = ganbench.compare(reports / "a.json", reports / "other.json")
    assert json.loads(answer.out) == found
    assert (found["kind"], found["comparable"]) == ("reports", False)


def test_a_file_that_is_no_report(reports: Path) -> None:
    (reports / "foreign.json").write_text('{"fid": 3}')
    answer = call("compare", reports / "a.json", reports / "foreign.json")
    assert (answer.status, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert "foreign.json: is none: `ganbench evaluate SAMPLES --json FILE` makes one" in answer.err
