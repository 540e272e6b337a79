"""``ganbench runs``: every trial is listed as it stands, and nothing that was damaged stops the list."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.store.checkpoint_header import BEFORE, LATEST, read_share
from ganbench.store.run_record import Status, read_record
from ganbench.store.status import age, letters, survey
from ganbench.training.checkpoint import CheckpointWriter

from ..conftest import Answer, Smoke

Command = Callable[..., Answer]

HOLD = """
import sys
from pathlib import Path
from ganbench.store.store import Lock
assert Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""
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
def runs(smoke: Smoke, tmp_path: Path) -> Iterator[Path]:
    """A copy of the small run: one trial runs, one was interrupted, one not begun, one failed, one was edited."""
    runs = shutil.copytree(smoke.runs, tmp_path / "runs")
    folders = {read_record(path).about.label: path.parent for path in runs.glob("*/record.json")}
    for label in ("vae", "noise", "replay"):
        (folders[label] / "record.json").unlink()
    failed = read_record(folders["dcgan"] / "record.json").model_copy(
        update={"status": Status.DIVERGED, "reason": "loss is NaN", "metrics": {}}
    )
    failed.write(folders["dcgan"] / "record.json")
    edited = folders["real"] / "record.json"
    edited.write_text(edited.read_text().replace('"repetition": 0', '"repetition": 7'))
    keeper = CheckpointWriter(folders["vae"], 0.0)
    keeper.save(lambda: {"step": 3}, {"share": 0.45})
    keeper.wait()
    words = [sys.executable, "-c", HOLD, str(folders["replay"])]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield runs
        holder.communicate()


def test_a_run_is_listed_with_its_headline_metrics(smoke: Smoke, command: Command) -> None:
    answer = command("runs", "--out", smoke.runs)
    assert (answer.status, answer.err) == (0, "")
    records = [read_record(path) for path in smoke.runs.glob("*/record.json")]
    rows = [line.split() for line in answer.out.splitlines() if " ok " in line]
    assert [row[2] for row in rows] == sorted(record.about.label for record in records)
    for record in records:
        (row,) = (row for row in rows if row[0] == record.key[:8])
        scores = [f"{record.metrics[name].value:.{n}f}" for name, n in (("fid", 1), ("is", 2), ("recall", 3))]
        assert row[:8] == [record.key[:8], "ok", record.about.label, "0", record.track.protocol.name, *scores]


def test_what_has_no_record_is_running_or_interrupted_and_what_was_damaged_is_said(
    runs: Path, command: Command
) -> None:
    answer = command("runs", "--out", runs)
    assert (answer.status, answer.err) == (0, "")
    found = {each.label: each.standing for each in survey(runs)}
    assert found == {
        "vae": "interrupted, at 45 %", "noise": "interrupted, not begun", "replay": "running",
        "dcgan": "diverged", "real": "damaged",
    }  # fmt: skip
    for label, standing in found.items():
        assert any(standing in line and f" {label} " in line for line in answer.out.splitlines()), label
    (line,) = (line for line in answer.out.splitlines() if line.startswith("damaged: "))
    assert "record.json: edited after it was written" in line


def test_status_and_track_choose(runs: Path, command: Command) -> None:
    def listed(*words: str) -> list[str]:
        answer = command("runs", "--out", runs, "--json", "-", *words)
        assert answer.status == 0
        return [each["model"] for each in json.loads(answer.out)]

    assert listed("--status", "interrupted") == ["noise", "vae"]
    assert listed("--status", "running, damaged") == ["real", "replay"]
    assert len(listed("--track", "digits-smoke")) == 5  # +5steps is a variant of it
    assert listed("--track", "digits") == []
    assert "(did you mean 'digits-smoke+5steps'?)" in command("runs", "--out", runs, "--track", "digits-smok").out
    assert command("runs", "--out", runs, "--status", "ok").out == f"no trials in {runs} for --status ok\n"


def test_the_list_is_json_too(runs: Path, command: Command, tmp_path: Path) -> None:
    answer = command("runs", "--out", runs, "--json", tmp_path / "list.json")
    assert "interrupted, at 45 %" in answer.out
    found = {each["model"]: each for each in json.loads((tmp_path / "list.json").read_text())}
    assert (found["vae"]["status"], found["vae"]["share"], found["vae"]["metrics"]) == ("interrupted", 0.45, {})
    assert (found["dcgan"]["status"], found["dcgan"]["reason"]) == ("diverged", "loss is NaN")
    assert Path(found["vae"]["folder"]).parent == runs
    assert datetime.datetime.fromisoformat(found["dcgan"]["started"]).tzinfo


def test_an_empty_store_is_one_line(command: Command, tmp_path: Path) -> None:
    answer = command("runs", "--out", tmp_path)
    assert answer == Answer(0, f"no trials in {tmp_path}: `ganbench run` makes some\n", "")
    assert "there is no such folder" in command("runs", "--out", tmp_path / "nowhere").out
    assert command("runs", "--out", tmp_path, "--json", "-").out == "[]\n"
    refused = command("runs", "--out", tmp_path, "--status", "faild")
    assert refused == Answer(2, "", "ganbench: --status 'faild': no trial is 'faild' (did you mean 'failed'?)\n")


def test_what_cannot_be_read_at_all_is_a_row(command: Command, tmp_path: Path) -> None:
    for name, text in (("a", "{"), ("b", "[" * 100_000), ("c", "\0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trial.json").write_text(text)
        (tmp_path / name / "record.json").write_text(text)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "trial.json").write_text("{}")
    answer = command("runs", "--out", tmp_path)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.count("damaged: ") == 4


def test_a_start_that_lies_ahead_has_no_age() -> None:
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    ages = {40: "40 s", 200: "3 min", 7300: "2 h", 5 * 86400: "5 d", -60: "?"}
    assert {seconds: age(now - datetime.timedelta(seconds=seconds), now) for seconds in ages} == ages
    assert age(None, now) == "?"


def test_a_clock_that_was_set_back(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    source = next(smoke.runs.glob("*/record.json"))
    record = read_record(source)
    for number, started in enumerate(("2999-01-01T00:00:00+00:00", "2999-01-01T00:00:00", "soon", None)):
        changed = {"key": f"{number}", "provenance": record.provenance | {"started": started}}
        record.model_copy(update=changed).write(tmp_path / f"{number}" / "record.json")
    rows = [line.split() for line in command("runs", "--out", tmp_path).out.splitlines() if " ok " in line]
    assert [row[-1] for row in rows] == ["?"] * 4


def test_keys_are_shown_as_far_as_they_differ() -> None:
    assert letters([]) == letters(["0123456789abcdef"]) == letters(["0123", "4567"]) == 8
    assert letters(["0123456789abcdef", "0123456789xbcdef", "f"]) == 11


def test_how_far_a_trial_came_is_read_from_the_last_whole_header(tmp_path: Path) -> None:
    assert read_share(tmp_path) is None
    keeper = CheckpointWriter(tmp_path, 0.0)
    for share in (0.2, 0.4):
        keeper.save(lambda: {}, {"share": share})
        keeper.wait()
    assert read_share(tmp_path) == 0.4
    for damage in (b"", b"\xff\xfe", b"[" * 512, b"[]", b'{"ganbench_checkpoint": 1, "sha256": 3}'):
        (tmp_path / LATEST).write_bytes(damage)
        assert read_share(tmp_path) == 0.2
    (tmp_path / BEFORE).write_bytes(b'{"ganbench_checkpoint": 1, "sha256": "", "share": "most"}')
    assert read_share(tmp_path) is None


def test_lists_and_records_are_shown_without_torch(smoke: Smoke) -> None:
    key = next(smoke.runs.glob("*/record.json")).parent.name
    for words in (["runs"], ["show", key]):
        done = subprocess.run(
            [sys.executable, "-c", LIGHT, *words, "--out", str(smoke.runs)],
            capture_output=True, text=True, timeout=120, env=os.environ,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert key[:8] in done.stdout
