"""Trials as processes: the same request gives the same record, and whatever goes wrong is one row."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.trials.record import Record, read_record
from ganbench.trials.worker import outcome

from ..conftest import SMOKE, Answer, Smoke

Command = Callable[..., Answer]

FAILING = """

class WrongShape(Plain):
    name = "wrong-shape"
    def sample(self, n, labels=None): return torch.zeros(n, 1, 8, 7)

class Bright(Plain):
    name = "bright"
    def sample(self, n, labels=None): return torch.full((n, 1, 8, 8), 1.5)

class Hole(Plain):
    name = "hole"
    def sample(self, n, labels=None): return torch.full((n, 1, 8, 8), float("nan"))

class Diverging(Plain):
    name = "diverging"
    def step(self, batch): return {"critic": torch.tensor(float("nan"))}

class Leaving(Plain):
    name = "leaving"
    def step(self, batch):
        print("the last words", flush=True)
        os._exit(7)

class Killed(Plain):
    name = "killed"
    def step(self, batch): os.kill(os.getpid(), signal.SIGKILL)

class Surviving(Plain):
    name = "surviving"
"""
PLAIN = """
import os, signal, torch
import ganbench

class Plain(ganbench.Model):
    def step(self, batch): return {"loss": batch.images.mean()}
    def sample(self, n, labels=None): return torch.rand(n, *self.data.shape) * 2 - 1
"""
EXPECTED = {
    "WrongShape": ("failed", "shape (100, 1, 8, 7), expected (100, 1, 8, 8)"),
    "Bright": ("failed", "beyond [-1, 1]"),
    "Hole": ("failed", "NaN or inf"),
    "Diverging": ("diverged", "loss 'critic' became nan"),
    "Leaving": ("failed", "status 7"),
    "Killed": ("killed", "SIGKILL"),
    "Surviving": ("ok", ""),
}


def test_the_same_request_gives_the_same_record(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    answer = command(
        "run", "--plugins", "vae,dcgan", "--no-baselines", *SMOKE, "--jobs", 2,
        "--out", tmp_path / "runs", "--boards", tmp_path / "boards",
    )  # fmt: skip
    assert answer.status == 0
    records = list(map(read_record, (tmp_path / "runs").glob("*/record.json")))
    assert {record.model for record in records} == {"dcgan", "vae"}
    for record in records:
        first = read_record(smoke.runs / record.key / "record.json")
        assert record.metrics == first.metrics
        for mine, theirs in zip(record.curve, first.curve, strict=True):
            assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}
        one, other = (folder / record.key / "samples.png" for folder in (smoke.runs, tmp_path / "runs"))
        assert one.read_bytes() == other.read_bytes()


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory, command: Command) -> tuple[Answer, dict[str, Record], str]:
    folder = tmp_path_factory.mktemp("failures")
    (folder / "failing.py").write_text(PLAIN + FAILING)
    plugins = ",".join(f"{folder / 'failing.py'}:{name}" for name in EXPECTED)
    answer = command(
        "run", "--plugins", plugins, "--no-baselines", *SMOKE, "--jobs", 2,
        "--out", folder / "runs", "--boards", folder / "boards",
    )  # fmt: skip
    records = {record.model: record for record in map(read_record, (folder / "runs").glob("*/record.json"))}
    return answer, records, (folder / "boards" / "digits-smoke+5steps.csv").read_text()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_failure_is_a_row_and_the_others_survive(failures: tuple[Answer, dict[str, Record], str], name: str) -> None:
    answer, records, board = failures
    model = {"WrongShape": "wrong-shape"}.get(name, name.lower())
    status, reason = EXPECTED[name]
    record = records[model]
    assert record.status == status
    assert reason in record.reason
    assert "\n" not in record.reason
    assert bool(record.metrics) is (status == "ok")
    assert f"{model}," in board
    assert answer.status == 1
    if status != "ok":
        assert f"{model} seed 0: {status}: {record.reason}" in answer.out


def test_last_words_stand_in_the_reason_of_a_process_that_left(failures: tuple[Answer, dict[str, Record], str]) -> None:
    assert "the last words" in failures[1]["leaving"].reason


def test_a_worker_whose_command_is_gone_does_not_leave_a_failure(smoke: Smoke, tmp_path: Path) -> None:
    # The command was killed: nobody reads what the worker says. Its next run must train the trial, not find it failed.
    (key,) = (path.parent.name for path in smoke.runs.glob("*/record.json") if read_record(path).model == "vae")
    folder = tmp_path / key
    folder.mkdir()
    for name in ("trial.json", "setting.json"):
        shutil.copy(smoke.runs / key / name, folder)
    reader, writer = os.pipe()
    os.close(reader)
    subprocess.run([sys.executable, "-m", "ganbench.trials.worker", str(folder)], stdout=writer, timeout=120)
    os.close(writer)
    assert not (folder / "record.json").exists() or read_record(folder / "record.json").status == "ok"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MemoryError(), "oom"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
            "oom",
        ),
        (RuntimeError("something else"), "failed"),
    ],
)
def test_memory_that_ran_out_has_its_own_name(error: Exception, status: str) -> None:
    found, reason = outcome(error)
    assert found == status
    assert reason


def test_a_reason_is_one_line_that_names_the_error() -> None:
    assert outcome(ValueError("first line\nsecond line")) == ("failed", "ValueError: first line second line")
