"""``ganbench reproduce``: real runs of five steps done again, and what it says and writes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.store.run_record import RunRecord
from ganbench.store.store import Store

from ..conftest import SMOKE, Answer, Smoke, at

Command = Callable[..., Answer]

QUICK = """
import torch
import ganbench

class Quick(ganbench.Model):
    name = "quick"
    def sample(self, n, labels=None): return torch.rand(n, *self.data.shape) * 2 - 1
"""


def record_of(smoke: Smoke, name: str) -> RunRecord:
    store = Store(smoke.runs)
    found = [store.read(key) for key in store.keys()]
    return next(each for each in found if each and each.spec.model_info.name == name)


def test_a_run_is_the_same_again(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    record, out, file = record_of(smoke, "dcgan"), tmp_path / "out", tmp_path / "all.json"
    answer = command("reproduce", record.key[:12], "--runs", smoke.runs, "--out", out, "--json", file)
    assert (answer.status, answer.err) == (0, ""), answer
    (score,) = Store(smoke.runs).scores(record.key).records
    n = len(score.metrics)
    assert answer.out.splitlines()[-1] == (
        f"equal: all 200 samples are the same to the last bit, and so are all {n} metrics"
    )
    again = Store(out).read(record.key)
    assert again is not None
    assert again.samples == record.samples
    found = json.loads(file.read_text())
    assert (found["verdict"], found["why"], found["recorded"]["steps"]) == ("equal", [], 5)
    assert {each["name"] for each in found["metrics"]} == score.metrics.keys()


def test_doctored_scores_are_found_different(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    record, runs, out = record_of(smoke, "vae"), tmp_path / "runs", tmp_path / "out"
    (score,) = Store(smoke.runs).scores(record.key).records
    fid = score.metrics["fid"]
    better = {"fid": fid.model_copy(update={"value": fid.value / 2})}
    doctored = record.model_copy(update={"provenance": record.provenance | {"torch": "2.11.0"}})
    path = runs / record.key / "run.json"
    doctored.write(path)
    score.model_copy(update={"metrics": score.metrics | better}).write(path.parent / "scores" / f"{score.key}.json")
    before = path.read_bytes()
    answer = command("reproduce", path, "--runs", runs, "--published", tmp_path / "boards", "--out", out)
    assert (answer.status, answer.err) == (1, ""), answer
    *said, last = answer.out.splitlines()
    assert last.startswith("different: FID is ")
    assert "1 ok seed of the row" in last
    assert any(line.startswith("it may be: torch: 2.11.0 then, ") for line in said)
    assert any(line.startswith("the rule: within noise is |difference| of FID <= t(0.975, n - 1)") for line in said)
    assert path.read_bytes() == before


def test_a_file_that_moved_and_one_that_changed(command: Command, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "quick.py").write_text(QUICK)
    runs, out = ("--runs", tmp_path / "runs"), ("--out", tmp_path / "out")
    plugin = f"{old / 'quick.py'}:Quick"
    answer = command("run", "--plugins", plugin, *SMOKE, "--no-baselines", *at(tmp_path))
    assert answer.status == 0, answer
    (key,) = Store(tmp_path / "runs").keys()

    (old / "quick.py").unlink()
    answer = command("reproduce", key, *runs, *out)
    assert (answer.status, answer.out) == (2, "")
    assert "name its present file with --plugin FILE.py:Class" in answer.err

    moved = ("--plugin", f"{new / 'quick.py'}:Quick")
    answer = command("reproduce", key, *runs, *out, *moved, "--quiet")
    assert answer == (0, "", "")

    source = Store(tmp_path / "runs").read(key).spec.model_info.source
    (new / "quick.py").write_text(QUICK.replace("* 2 - 1", "- 0.5"))
    answer = command("reproduce", key, *runs, *out, *moved)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert f"recorded {source[:12]} (recorded with {old / 'quick.py'}, ganbench " in answer.err
    assert "model 'quick' has source " in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0123456789abcdef"], "'0123456789abcdef': no run of that key"),
        (["./nowhere/run.json"], "nowhere/run.json"),
        ([], "KEY|run.json"),
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
    where = ("--runs", smoke.runs, "--published", tmp_path, "--out", tmp_path / "out")
    answer = command("reproduce", *where, *(word.format(**known) for word in words))
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert said in answer.err
    assert not list(tmp_path.iterdir())
