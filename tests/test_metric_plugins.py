"""A stranger's metric: a column of boards, a row of `ganbench evaluate`, and nobody else's affair."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ganbench
from ganbench.boards.board import build_board
from ganbench.boards.csv_table import board_csv
from ganbench.data.dataset import Dataset
from ganbench.experiment.protocols import resolve
from ganbench.registry.builtins import discover
from ganbench.registry.lookup import find_track, read_metrics
from ganbench.registry.registry import Registry
from ganbench.store.store import Store

from .conftest import SMOKE, Answer, at, stored

Command = Callable[..., Answer]
INK = """
import ganbench

def compute(context):
    ink = [float(images.float().mean()) for images in (context.images, context.real.images)]
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
    boards = tmp_path / "boards"
    words = ("--metrics", "standard,ink,vendi", "--no-baselines", *at(tmp_path))
    answer = command("run", "--plugins", "vanilla", *SMOKE, *words)
    assert (answer.status, answer.err) == (0, "")
    assert "Ink" in answer.out
    name = "digits-smoke+5steps"
    (row,) = csv.DictReader((boards / f"{name}.csv").read_text().splitlines())
    assert 0 < float(row["ink"]) < 255
    assert float(row["vendi"]) >= 1
    assert "how much more or less is drawn" in (boards / f"{name}.md").read_text()
    (score,) = stored(tmp_path / "runs")["vanilla"].scores
    assert score.metrics["ink"].details["ink"][0] != score.metrics["ink"].details["ink"][1]
    assert score.metric_info["ink"].version == 3
    for path in tmp_path.glob(f"{module}.py"):
        path.unlink()
    track = find_track("digits-smoke", discover()).with_budget("5steps")
    request = resolve(track, discover()).board
    assert board_csv(build_board(request, [Store(tmp_path / "runs")])) == (boards / f"{name}.csv").read_text()


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


def test_a_name_that_is_taken_names_both_sides_and_harms_nobody(distribution: Callable[..., str]) -> None:
    distribution("two-metrics", INK.replace('name="ink"', 'name="fid"'))
    registry = discover()
    (broken,) = registry.broken
    assert "metric name 'fid' is taken" in broken.error
    assert "ganbench" in broken.error
    assert registry.get("metrics", "fid").origin.distribution == "ganbench"


@pytest.mark.parametrize("source", [INK.replace('low=0', 'lowest=0').replace('name="ink"', 'name="I nk"'),
                                    INK.replace("register(ganbench.Metric(", "register(dict(")])  # fmt: skip
def test_what_is_no_metric_is_reported_and_left_out(distribution: Callable[..., str], source: str) -> None:
    distribution("bad-metric", source)
    registry = discover()
    (broken,) = registry.broken
    assert broken.origin.distribution == "bad-metric"
    assert "\n" not in broken.error
    assert not registry.has("metrics", "ink")


def test_metrics_asked_for_are_read_relative_to_a_track(registry: Registry) -> None:
    track = find_track("mnist5k-quick", registry)
    assert read_metrics("standard", track, registry) == track.metrics
    assert read_metrics("vendi,fid", track, registry) == ("vendi", "fid")
    assert read_metrics("standard,vendi", track, registry) == (*track.metrics, "vendi")
    assert set(read_metrics("all", track, registry)) == {entry.name for entry in registry.all("metrics")}


@pytest.mark.parametrize(
    ("asked", "said"),
    [("fid,vend", "did you mean 'vendi'?"), ("", "an empty name")],
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
