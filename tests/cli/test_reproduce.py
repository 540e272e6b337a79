"""``ganbench reproduce``: real trials of five steps done again, and what it says and writes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.store.run_record import Record, read_record

from ..conftest import SMOKE, Answer, Smoke

Command = Callable[..., Answer]

QUICK = """
import torch
import ganbench

class Quick(ganbench.Model):
    name = "quick"
    def sample(self, n, labels=None): return torch.rand(n, *self.data.shape) * 2 - 1
"""


def record_of(smoke: Smoke, name: str) -> Record:
    return next(found for found in map(read_record, smoke.runs.glob("*/record.json")) if found.model == name)


def test_a_trial_is_the_same_again(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    record, out, file = record_of(smoke, "dcgan"), tmp_path / "out", tmp_path / "all.json"
    folders = ("--runs", tmp_path / "none", "--boards", smoke.boards, "--out", out)
    answer = command("reproduce", record.key[:12], *folders, "--json", file)
    assert (answer.status, answer.err) == (0, ""), answer
    last = answer.out.splitlines()[-1]
    assert last == f"equal: all {len(record.metrics)} metrics, images and steps are the same to the last digit"
    assert read_record(out / record.key / "record.json").metrics == record.metrics
    found = json.loads(file.read_text())
    assert (found["verdict"], found["why"], found["recorded"]["steps"]) == ("equal", [], 5)
    assert {each["name"] for each in found["metrics"]} == record.metrics.keys()


def test_a_doctored_record_is_found_different(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    record, runs, out = record_of(smoke, "vae"), tmp_path / "runs", tmp_path / "out"
    fid = record.metrics["fid"]
    better = fid.model_copy(update={"value": fid.value / 2})
    doctored = record.model_copy(
        update={"metrics": record.metrics | {"fid": better}, "provenance": record.provenance | {"torch": "2.11.0"}}
    )
    for key, seed in ((record.key, record.seed), ("another", 1)):
        value = better.model_copy(update={"value": better.value + 1e-3 * (key == "another")})
        seeded = doctored.model_copy(update={"key": key, "seed": seed, "metrics": doctored.metrics | {"fid": value}})
        seeded.write(runs / key / "record.json")
    path = runs / record.key / "record.json"
    before = path.read_bytes()
    answer = command("reproduce", path, "--runs", runs, "--boards", tmp_path / "boards", "--out", out)
    assert (answer.status, answer.err) == (1, ""), answer
    *said, last = answer.out.splitlines()
    assert last.startswith("different: FID is ")
    assert "only over 2 seeds" in last
    assert any(line.startswith("it may be: torch: 2.11.0 then, ") for line in said)
    assert any(line.startswith("the rule: within noise is |difference| of FID <= t(0.975, n - 1)") for line in said)
    assert sum(line.rstrip().endswith("*") for line in said) == 1, "FID alone is marked"
    assert path.read_bytes() == before


def test_a_file_that_moved_and_one_that_changed(command: Command, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "quick.py").write_text(QUICK)
    runs, boards, out = ("--runs", tmp_path / "runs"), ("--boards", tmp_path / "boards"), ("--out", tmp_path / "out")
    plugin = f"{old / 'quick.py'}:Quick"
    answer = command("run", "--plugins", plugin, *SMOKE, "--no-baselines", "--out", tmp_path / "runs", *boards)
    assert answer.status == 0, answer
    (key,) = (folder.name for folder in (tmp_path / "runs").iterdir())

    (old / "quick.py").unlink()
    answer = command("reproduce", key, *runs, *boards, *out)
    assert (answer.status, answer.out) == (2, "")
    assert "--plugin FILE.py:Class says where it lies now" in answer.err

    moved = ("--plugin", f"{new / 'quick.py'}:Quick")
    answer = command("reproduce", key, *runs, *boards, *out, *moved, "--quiet")
    assert answer == (0, "", "")

    source = read_record(tmp_path / "runs" / key / "record.json").about.source
    (new / "quick.py").write_text(QUICK + "# another source\n")
    answer = command("reproduce", key, *runs, *boards, *out, *moved)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert f"recorded {source[:12]} (recorded with {old / 'quick.py'}, ganbench " in answer.err
    assert "model 'quick' has source " in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0123456789abcdef"], "'0123456789abcdef': no record of that key"),
        (["./nowhere/record.json"], "nowhere/record.json"),
        ([], "KEY|record.json"),
        (["{vae}", "--device", "gpu"], "--device 'gpu': write auto, cpu, cuda or cuda:N"),
        (["{vae}", "--plugin", "./nowhere.py:Tiny"], "there is no file"),
        (["{vae}", "--out", "{runs}"], "name another folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(
    smoke: Smoke, command: Command, tmp_path: Path, words: list[str], said: str
) -> None:
    known = {"vae": record_of(smoke, "vae").key, "runs": smoke.runs}
    where = ("--runs", smoke.runs, "--boards", tmp_path, "--out", tmp_path / "out")
    answer = command("reproduce", *where, *(word.format(**known) for word in words))
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert said in answer.err
    assert not list(tmp_path.iterdir())
