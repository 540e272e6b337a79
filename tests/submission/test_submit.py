"""``ganbench submit``: what is packed, always in the same bytes, and what is refused because it is not whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.submission.bundle import open_bundle
from ganbench.submission.environment import differences, lock_text, read_lock

from ..conftest import Answer, Smoke
from .conftest import Strange

Command = Callable[..., Answer]


def test_a_bundle_holds_all_that_was_asked_for(strange: Strange) -> None:
    assert (strange.answer.status, strange.answer.err) == (0, "")
    manifest = open_bundle(strange.bundle).manifest
    assert [(run.label, run.seed_index) for run in manifest.runs] == [("strange", 0), ("strange", 1)]
    (code,) = manifest.code
    assert code.members == ["code/strange.py", "code/strange_helper.py"]
    for run in manifest.runs:
        files = {name.removeprefix(f"runs/{run.key}/") for name in manifest.members}
        assert {"run.json", "checkpoint.pt", "samples/final.npy", "samples.png", "curve.csv"} <= files
    assert not any("log" in name for name in manifest.members)
    assert "KiB in " in strange.answer.out.splitlines()[-1]


def test_the_same_runs_are_the_same_bytes(strange: Strange, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "again.zip"
    answer = command("submit", "strange", "--code", strange.model, "--runs", strange.runs, "--out", out, "--quiet")
    assert answer == (0, "", "")
    assert out.read_bytes() == strange.bundle.read_bytes()


def test_ganbenchs_own_models_are_known_by_their_hash(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "vae.zip"
    answer = command("submit", "vae", "--runs", smoke.runs, "--out", out)
    assert answer.status == 0, answer
    (code,) = open_bundle(out).manifest.code
    assert (code.members, code.module) == ([], "ganbench_plugins.vae")
    answer = command("verify", out, "--level", "keys", "--runs", tmp_path / "verified")
    assert answer.status == 0, answer
    assert "is a baseline" in command("submit", "noise", "--runs", smoke.runs, "--out", out).err


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("checkpoint.pt", "its checkpoint.pt is missing: train it again"),
        ("samples/final.npy", "its samples were cleaned away: `ganbench score"),
        ("scores", "it is not scored: `ganbench score"),
        ("run.json", "no run of that key"),
    ],
)
def test_what_is_not_whole_is_refused(strange: Strange, command: Command, tmp_path: Path, file: str, said: str) -> None:
    runs, out = Path(shutil.copytree(strange.runs, tmp_path / "runs")), tmp_path / "x.zip"
    for folder in (path for path in runs.iterdir() if (path / "run.json").exists()):
        path = folder / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    answer = command("submit", "strange", "--code", strange.model, "--runs", runs, "--out", out)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert said in answer.err
    assert not out.exists()


def test_code_that_is_elsewhere_or_other(strange: Strange, command: Command, tmp_path: Path) -> None:
    words = ("submit", "strange", "--runs", strange.runs, "--out", tmp_path / "x.zip")
    assert "say where its code is: --code" in command(*words).err
    assert "which lies elsewhere" in command(*words, "--code", tmp_path).err
    assert "is no file or folder, and model 'strange' is of " in command(*words, "--code", "strange-models").err
    helper = strange.model / "strange_helper.py"
    before = helper.read_text()
    try:
        helper.write_text(before.replace("0.01", "0.03"))
        assert "its code has changed since it was trained" in command(*words, "--code", strange.model).err
    finally:
        helper.write_text(before)


def test_a_lock_file_is_read_back() -> None:
    found = read_lock(lock_text())
    assert {"python", "platform", "torch", "ganbench"} <= found.keys()
    assert differences(found) == []
    assert differences({"torch": "0.1"}) == [f"torch 0.1 there, {found['torch']} here"]
