"""A stranger's metric: a column of boards, a row of `ganbench evaluate`, and nobody else's affair."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ganbench
from ganbench.boards.publish import publish
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.experiment.plan import find_track, identify, with_metrics
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registry
from ganbench.store.run_record import read_record

from .conftest import SMOKE, Answer

Command = Callable[..., Answer]
INK = """
import ganbench

def compute(evidence):
    ink = [float(images.float().mean()) for images in (evidence.images, evidence.real.images)]
    return ganbench.Score(value=abs(ink[0] - ink[1]), details={"ink": ink})

@ganbench.hookimpl
def ganbench_register_metrics(register):
    register(ganbench.Metric(
        name="ink", title="Ink", direction="lower", low=0, high=255, digits=1, version=3,
        meaning="how much more or less is drawn", source="a test", needs=("reference",), compute=compute,
    ))
"""


def test_its_column_is_on_the_board_and_stays_when_the_plugin_is_gone(
    command: Command, distribution: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = distribution("ink-metric", INK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # workers are other processes
    runs, boards = tmp_path / "runs", tmp_path / "boards"
    words = ("--metrics", "standard,ink,vendi", "--no-baselines", "--out", runs, "--boards", boards)
    answer = command("run", "--plugins", "vanilla", *SMOKE, *words)
    assert (answer.status, answer.err) == (0, "")
    assert "Ink" in answer.out
    name = "digits-smoke+5steps+ink+vendi"
    (row,) = csv.DictReader((boards / f"{name}.csv").read_text().splitlines())
    assert 0 < float(row["ink"]) < 255
    assert float(row["vendi"]) >= 1
    assert "how much more or less is drawn" in (boards / f"{name}.md").read_text()
    (record,) = map(read_record, runs.glob("*/record.json"))
    assert record.metrics["ink"].details["ink"][0] != record.metrics["ink"].details["ink"][1]
    assert {facts.name: facts.version for facts in record.track.metrics}["ink"] == 3
    before = {path.name: path.read_bytes() for path in boards.iterdir() if path.is_file()}
    for path in tmp_path.glob(f"{module}.py"):
        path.unlink()
    publish(name, tmp_path / "gone", boards)  # from the records alone
    assert {path.name: path.read_bytes() for path in boards.iterdir() if path.is_file()} == before


def test_evaluate_shows_it_where_it_is_asked_for(
    command: Command, distribution: Callable[..., str], digits: Dataset, tmp_path: Path
) -> None:
    distribution("ink-metric", INK)
    np.save(tmp_path / "fake.npy", digits.validation.images[:200])
    words = ("evaluate", tmp_path / "fake.npy", "--track", "digits-smoke", "--device", "cpu")
    answer = command(*words, "--metrics", "fid,ink", "--json", tmp_path / "r.json")
    assert answer.status == 0
    assert "Ink" in answer.out
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report["metrics"]) == {"fid", "ink"}
    assert report["metric_versions"]["ink"] == 3
    assert "Ink" not in command(*words).out
    found = ganbench.evaluate(tmp_path / "fake.npy", track="digits-smoke", metrics="fid,ink", device="cpu")
    assert found["ink"] == report["metrics"]["ink"]["value"]


def test_a_name_that_is_taken_names_both_sides(distribution: Callable[..., str]) -> None:
    distribution("two-metrics", INK.replace('name="ink"', 'name="fid"'))
    registry = discover()
    (broken,) = registry.broken
    assert "metric name 'fid' is taken twice: by ganbench" in broken.error
    with pytest.raises(RequestError, match="two-metrics 1.2"):
        registry.get("metrics", "fid")


@pytest.mark.parametrize("source", [INK.replace('low=0', 'lowest=0').replace('name="ink"', 'name="I nk"'),
                                    INK.replace("register(ganbench.Metric(", "register(dict(")])  # fmt: skip
def test_what_is_no_metric_is_reported_and_left_out(distribution: Callable[..., str], source: str) -> None:
    distribution("bad-metric", source)
    registry = discover()
    (broken,) = registry.broken
    assert broken.origin.distribution == "bad-metric"
    assert "\n" not in broken.error
    assert not registry.has("metrics", "ink")


def test_other_metrics_are_another_board(registry: Registry) -> None:
    track = find_track("mnist5k-quick", registry)
    assert with_metrics(track, "standard", registry) == track
    more = with_metrics(track, "standard,vendi", registry)
    few = with_metrics(track, "fid,precision,recall", registry)
    assert (more.name, few.name) == ("mnist5k-quick+vendi", "mnist5k-quick+fid+precision+recall")
    assert set(with_metrics(track, "all", registry).metrics) == {entry.name for entry in registry.all("metrics")}
    fingerprints = {identify(each, registry, None, None).fingerprint for each in (track, more, few)}
    assert len(fingerprints) == 3


@pytest.mark.parametrize(
    ("asked", "said"),
    [("precision", "name 'fid' too"), ("fid,vend", "did you mean 'vendi'?"), ("", "unknown metric ''")],
)
def test_a_wrong_request_is_one_line(command: Command, asked: str, said: str) -> None:
    answer = command("run", "--plugins", "vanilla", *SMOKE, "--metrics", asked)
    assert answer.status == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_the_list_says_what_each_needs(command: Command) -> None:
    answer = command("metrics")
    assert answer.status == 0
    line = next(line for line in answer.out.splitlines() if line.strip().startswith("gan_test"))
    assert "labels oracle" in line
    assert "arXiv:1807.09499" in line
