"""``ganbench runs``: every run is listed as it stands, and nothing that was damaged stops the list."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.store.status import survey

from ..conftest import Answer
from ..holder import holding
from ..store.factory import PROVENANCE, begin, checkpoint, put, run_record, score_record, spec

Command = Callable[..., Answer]

LIGHT = """
import sys
from ganbench.cli.main import main
sys.argv = ["ganbench", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code
assert not {"torch", "pandas", "matplotlib", "sklearn"} & set(sys.modules)
"""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """One run is in work, one was interrupted, one not begun, one failed, one was edited, two are ok."""
    runs = tmp_path / "runs"
    scored = run_record("scored")
    put(runs, scored, [score_record(scored, **{"fid": 20.25, "is": 8.125, "recall": 0.25})])
    put(runs, run_record("unscored", 3))
    put(runs, run_record("diverged", status="diverged", reason="loss is NaN"))
    edited = put(runs, run_record("edited")) / "run.json"
    edited.write_text(edited.read_text().replace('"seed_index": 0', '"seed_index": 7'))
    checkpoint(begin(runs, spec("vae")), 0.45)
    begin(runs, spec("fresh", dataset="ring8", train_sha256="0" * 64, budget="2steps"))
    with holding(begin(runs, spec("working"))):
        yield runs


def test_a_run_is_listed_with_its_headline_metrics(runs: Path, command: Command) -> None:
    answer = command("runs", "--runs", runs)
    assert (answer.status, answer.err) == (0, "")
    key = run_record("scored").key
    (row,) = (line.split() for line in answer.out.splitlines() if " scored " in line and "not" not in line)
    assert row[:10] == [key[:8], "ok", "scored", "0", "digits", "8kimg", "fp32", "20.2", "8.12", "0.250"]
    assert row[10] == "–"
    assert answer.out.startswith(f"7 of 7 runs in {runs}\n")


def test_how_each_run_stands_and_what_was_damaged_is_said(runs: Path, command: Command) -> None:
    answer = command("runs", "--runs", runs)
    assert (answer.status, answer.err) == (0, "")
    found = {each.label: each.standing for each in survey(runs)}
    assert found == {
        "scored": "ok", "unscored": "ok, not scored", "diverged": "diverged", "edited": "damaged",
        "vae": "interrupted, at 45 %", "fresh": "interrupted, not begun", "working": "running",
    }  # fmt: skip
    for label, standing in found.items():
        assert any(standing in line and f" {label} " in line for line in answer.out.splitlines()), label
    (line,) = (line for line in answer.out.splitlines() if line.startswith("damaged: "))
    assert "run.json: changed after it was written" in line


def test_status_and_data_set_choose(runs: Path, command: Command) -> None:
    def listed(*words: str) -> list[str]:
        answer = command("runs", "--runs", runs, "--json", "-", *words)
        assert answer.status == 0
        return [each["model"] for each in json.loads(answer.out)]

    assert listed("--status", "interrupted") == ["vae", "fresh"]
    assert listed("--status", "running, damaged") == ["edited", "working"]
    assert listed("--status", "ok") == ["scored", "unscored"]
    assert listed("--status", "unscored,diverged") == ["diverged", "unscored"]
    assert listed("--dataset", "ring8") == ["fresh"]
    assert listed("--dataset", "digit") == []
    assert "(did you mean 'digits'?)" in command("runs", "--runs", runs, "--dataset", "digit").out
    assert command("runs", "--runs", runs, "--status", "oom").out == f"no runs in {runs} for --status oom\n"


def test_the_list_is_json_too(runs: Path, command: Command, tmp_path: Path) -> None:
    answer = command("runs", "--runs", runs, "--json", tmp_path / "list.json")
    assert "interrupted, at 45 %" in answer.out
    found = {each["model"]: each for each in json.loads((tmp_path / "list.json").read_text())}
    assert (found["vae"]["status"], found["vae"]["share"], found["vae"]["metrics"]) == ("interrupted", 0.45, {})
    assert (found["diverged"]["status"], found["diverged"]["reason"]) == ("diverged", "loss is NaN")
    assert (found["scored"]["scored"], found["scored"]["metrics"]["fid"]) == (1, 20.25)
    assert (found["unscored"]["scored"], found["unscored"]["seed_index"]) == (0, 3)
    assert Path(found["vae"]["folder"]).parent == runs
    assert datetime.datetime.fromisoformat(found["diverged"]["started"]).tzinfo


def test_an_empty_store_is_one_line(command: Command, tmp_path: Path) -> None:
    answer = command("runs", "--runs", tmp_path)
    assert answer == Answer(0, f"no runs in {tmp_path}: `ganbench run` makes some\n", "")
    assert "there is no such folder" in command("runs", "--runs", tmp_path / "nowhere").out
    assert command("runs", "--runs", tmp_path, "--json", "-").out == "[]\n"
    refused = command("runs", "--runs", tmp_path, "--status", "faild")
    assert refused == Answer(2, "", "ganbench: --status 'faild': unknown status 'faild' (did you mean 'failed'?)\n")


def test_an_empty_path_is_not_the_current_folder(command: Command) -> None:
    answer = command("runs", "--runs", "")
    assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "the path is empty" in answer.err


def test_a_folder_that_cannot_be_read_is_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)  # as of mode 000, which root may read
    answer = command("runs", "--runs", tmp_path)
    assert answer == Answer(
        2, "", f"ganbench: runs {tmp_path}: cannot be read (Permission denied): name another folder\n"
    )


def test_what_cannot_be_read_at_all_is_a_row(command: Command, tmp_path: Path) -> None:
    for name, text in (("a", "{"), ("b", "[" * 100_000), ("c", "\0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spec.json").write_text(text)
        (tmp_path / name / "run.json").write_text(text)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "spec.json").write_text("{}")
    (tmp_path / "e" / "run.json").mkdir(parents=True)
    answer = command("runs", "--runs", tmp_path)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.count("damaged: ") == 5


def test_a_clock_that_was_set_back(command: Command, tmp_path: Path) -> None:
    for number, started in enumerate(("2999-01-01T00:00:00+00:00", "2999-01-01T00:00:00", "soon", None)):
        put(tmp_path, run_record("tiny", number, provenance=PROVENANCE | {"started": started}))
    rows = [line.split() for line in command("runs", "--runs", tmp_path).out.splitlines() if " tiny " in line]
    assert [row[-1] for row in rows] == ["?"] * 4


def test_lists_and_records_are_shown_without_torch(runs: Path) -> None:
    key = run_record("scored").key
    for words in (["runs"], ["show", key], ["show", spec("vae").key]):
        done = subprocess.run(
            [sys.executable, "-c", LIGHT, *words, "--runs", str(runs)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert words[-1][:8] in done.stdout or key[:8] in done.stdout
