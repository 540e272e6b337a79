"""``ganbench board --format``: the table alone, on standard output or in a file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ganbench.experiment.protocols import board_request
from tests.conftest import Answer, at, call
from tests.store.factory import put, run_record, score_record, spec

TRACK = "digits-smoke"
STARTS = {"latex": "% digits-smoke", "html": "<table>\n", "json": "{\n", "md": "| rank | model |", "csv": "rank,model,"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    request = board_request(TRACK)
    for index, fid in enumerate((10.0, 12.0)):
        record = run_record(spec("tiny", index, **request.training.model_dump()), points=0)
        put(tmp_path / "runs", record, [score_record(record, request.scoring, fid=fid)])
    return tmp_path


def board(place: Path, *words: object) -> Answer:
    return call("board", "--track", TRACK, *words, *at(place))


@pytest.mark.parametrize("form", STARTS)
def test_the_table_and_nothing_else_goes_to_standard_output(place: Path, form: str) -> None:
    answer = board(place, "--format", form)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(STARTS[form])
    assert answer.out.endswith("\n")
    assert not answer.out.endswith("\n\n")
    assert "tiny" in answer.out
    assert not (place / "boards").exists(), "no board is written"
    assert board(place, "--format", form, "--quiet").out == answer.out, "it is the result"


def test_what_programs_read_can_be_read(place: Path) -> None:
    rows = json.loads(board(place, "--format", "json").out)["rows"]
    assert [seed["metrics"]["fid"] for seed in rows[0]["seeds"]] == [10.0, 12.0]
    read = list(csv.DictReader(io.StringIO(board(place, "--format", "csv").out)))
    assert float(read[0]["fid"]) == rows[0]["metrics"]["fid"]["mean"]


@pytest.mark.parametrize("form", STARTS)
def test_a_file_holds_the_same_and_nothing_is_printed(place: Path, form: str) -> None:
    file = place / "new" / "table.txt"
    answer = board(place, "--format", form, "--output", file)
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert file.read_text() == board(place, "--format", form).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "xlsx"), "'xlsx'"),
        (("--output", "table.tex"), "--output table.tex: say which table goes there: --format latex"),
        (("--format", "md", "--output", "."), "--output"),
        (("--format", "md", "--pictures", "svg"), "--pictures: --format writes a table and no pictures"),
        (("--pictures", "gif"), "'gif'"),
        (("--format", "csv", "--budget", "7steps"), "no run of it in"),
    ],
)
def test_a_wrong_request_is_one_line(place: Path, words: tuple[str, ...], said: str) -> None:
    answer = board(place, *words)
    assert (answer.status, answer.out) == (2, "")
    assert len(answer.err.strip().splitlines()) == 1
    assert said in answer.err


def test_a_folder_that_cannot_be_written_is_one_line(place: Path) -> None:
    (place / "file").write_text("")
    answer = board(place, "--format", "md", "--output", place / "file" / "table.md")
    assert (answer.status, answer.out) == (2, "")
    assert "--output" in answer.err


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_pictures_have_a_format(place: Path, form: str) -> None:
    answer = board(place, "--pictures", form)
    assert answer.status == 0, answer.err
    assert (place / "boards" / "digits-smoke.md").is_file()


def test_what_is_not_in_the_table_is_said_on_standard_error(place: Path) -> None:
    (place / "runs" / "bad").mkdir()
    (place / "runs" / "bad" / "run.json").write_text("{")
    answer = board(place, "--format", "md")
    assert (answer.status, len(answer.out.splitlines())) == (0, 3)
    assert answer.err.startswith("ganbench: refused ")
    assert len(answer.err.splitlines()) == 1
    assert board(place, "--format", "md", "--quiet").err == ""
