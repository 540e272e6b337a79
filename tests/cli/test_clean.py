"""``ganbench clean``: what it removed, how much that freed, and what it left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.cli.main import COMMANDS

from ..conftest import Answer
from ..holder import holding
from ..store.test_clean import PARTIAL, RESUME, files, trained

Command = Callable[..., Answer]


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "clean", COMMANDS.get("clean", "Free space."))


def test_it_says_what_went_and_how_much_that_freed(command: Command, tmp_path: Path) -> None:
    one, other = trained(tmp_path, "one"), trained(tmp_path, "other")
    before = files(tmp_path / one.key)
    expected = PARTIAL | RESUME | {"samples/final.npy"}
    told = command("clean", "--runs", tmp_path, "--dry-run")
    assert (told.status, told.err, files(tmp_path / one.key)) == (0, "", before)
    assert told.out.splitlines()[-1].startswith("would free ")
    assert told.out.splitlines()[-1].endswith(" KiB in 2 runs; nothing was removed")
    done = command("clean", one.key[:9], "--runs", tmp_path)
    assert (done.status, done.err) == (0, "")
    line, total = done.out.splitlines()
    assert line.startswith(f"{one.key[:8]}  one: 1.")
    assert all(name in line for name in expected)
    assert total.endswith(" KiB in 1 run")
    assert before - files(tmp_path / one.key) == expected
    assert files(tmp_path / other.key) >= expected
    curves = command("clean", tmp_path / other.key, "--runs", tmp_path, "--curves")
    assert "samples/at-9.npy" in curves.out
    assert curves.out.splitlines()[-1].startswith("samples on the curves are gone for good")
    again = command("clean", "--runs", tmp_path, "--curves")
    assert again == Answer(
        0, f"{one.key[:8]}  one: 288 B: samples/at-9.npy\n"
        "freed 288 B in 1 run\n"
        "samples on the curves are gone for good: new metrics will have no curve for these runs\n", "",
    )  # fmt: skip


def test_what_is_in_work_is_left_and_said(command: Command, tmp_path: Path) -> None:
    record = trained(tmp_path)
    with holding(tmp_path / record.key):
        answer = command("clean", "--runs", tmp_path)
    assert answer.out == f"{record.key[:8]}  tiny: left alone: another command is at work on it\nfreed 0 B in 0 runs\n"


def test_only_what_lies_in_the_store_is_cleaned(command: Command, tmp_path: Path) -> None:
    record = trained(tmp_path / "elsewhere")
    for key, said in ((tmp_path / "elsewhere" / record.key, "not a run under --runs"), ("nope", "no run of that key")):
        answer = command("clean", key, "--runs", tmp_path / "runs")
        assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert said in answer.err
    assert "samples/final.npy" in files(tmp_path / "elsewhere" / record.key)
    assert command("clean", "--runs", tmp_path / "runs").out == "freed 0 B in 0 runs\n"
