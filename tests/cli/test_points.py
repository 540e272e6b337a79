"""A track of points from end to end: run, board, pictures, and every command that meets points."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from ganbench.errors import RequestError
from ganbench.experiment.protocols import resolve
from ganbench.registry.registry import Registry
from ganbench.store.store import StoredRun
from ganbench.tracks.track import read_track

from ..conftest import at, stored

TRACK = """
name = "ring-smoke"
version = 1
summary = "eight Gaussians in seconds"
dataset = "ring8"
budget = "40steps"
seeds = 1
samples = 200
curve_points = 3
curve_samples = 100
extractor = "coordinates"
classifier_steps = 1
headline = "mode_kl"
metrics = ["mode_kl", "modes", "high_quality", "coverage", "fid", "is"]
"""


class Ran(NamedTuple):
    """A run on points: its track, its folders and its records by model."""

    track: Path
    runs: Path
    boards: Path
    records: dict[str, StoredRun]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, command: Callable) -> Ran:
    folder = tmp_path_factory.mktemp("points")
    track = folder / "ring.toml"
    track.write_text(TRACK)
    words = ("run", "--plugins", "vanilla", "--track", track, "--jobs", 1, "--device", "cpu", *at(folder))
    answer = command(*words)
    assert answer.status == 0, answer.err
    return Ran(track, folder / "runs", folder / "boards", stored(folder / "runs"))


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_scores_hold_what_applies_to_points(ran: Ran) -> None:
    assert set(ran.records) == {"real", "noise", "replay", "vanilla"}
    real, noise, vanilla = (ran.records[name].scores[0] for name in ("real", "noise", "vanilla"))
    assert real.metrics["modes"].value == 8
    assert real.metrics["high_quality"].value > 0.95 > 0.05 > noise.metrics["high_quality"].value
    assert noise.metrics["mode_kl"].value > 3 > 0.1 > real.metrics["mode_kl"].value
    assert vanilla.skipped == {"is": "needs probabilities"}
    assert [point.n for point in vanilla.curve] == [100, 100, 100]
    assert all("mode_kl" in point.metrics for point in vanilla.curve)


def test_each_run_has_its_pictures(ran: Ran) -> None:
    for name, each in ran.records.items():
        assert size(each.folder / "samples.png") == (640, 640)
        assert (each.folder / "training.png").exists() == (name == "vanilla")
    folder = ran.records["vanilla"].folder
    assert size(folder / "training.png") == (900, 324)
    assert (folder / "surfaces.safetensors").exists()


def test_the_board_is_ranked_by_its_own_headline(ran: Ran) -> None:
    with open(ran.boards / "ring-smoke.csv") as file:
        rows = list(csv.DictReader(file))
    first = "rank model family runs failed mode_kl mode_kl_low mode_kl_high modes"
    assert " ".join(list(rows[0])[:9]) == first
    assert [row["model"] for row in rows] == ["real", "vanilla", "replay", "noise"]
    assert rows[1]["rank"] == "1"
    page = (ran.boards / "ring-smoke.md").read_text()
    assert "Ranked by mode KL, less is better" in page
    assert "FID over" not in page
    assert size(ran.boards / "ring-smoke" / "grids.png")[0] > 3 * 320
    assert (ran.boards / "ring-smoke" / "curves.png").exists()


def test_commands_meet_points(ran: Ran, command: Callable, tmp_path: Path) -> None:
    folder, report = ran.records["vanilla"].folder, tmp_path / "report.json"
    again = command("evaluate", folder, "--track", ran.track, "--device", "cpu", "--json", report, "--quiet")
    assert again.status == 0, again.err
    content = json.loads(report.read_text())
    assert {name: each["value"] for name, each in content["metrics"].items()} == {
        name: each.value for name, each in ran.records["vanilla"].scores[0].metrics.items()
    }
    assert content["preprocessing"]["samples"] == "clamped to [-1, 1], float32"
    points = tmp_path / "points.npy"
    np.save(points, np.random.default_rng(0).uniform(-1, 1, (200, 2)))
    assert command("evaluate", points, "--track", ran.track, "--device", "cpu").status == 0
    picture = tmp_path / "some.png"
    assert command("sample", folder.name, "--runs", ran.runs, "-n", 50, "--export", picture).status == 0
    assert size(picture) == (640, 640)
    assert "points = model.sample(64)  # float (64, 2)" in command("load", folder).out
    assert "mode KL" in command("runs", "--runs", ran.runs).out
    shown = command("show", folder.name, "--runs", ran.runs)
    assert shown.status == 0
    assert "training.png" in shown.out


def test_what_does_not_go_together_is_refused_in_one_line(ran: Ran, command: Callable, tmp_path: Path) -> None:
    images = tmp_path / "images.npy"
    np.save(images, np.zeros((30, 1, 8, 8), dtype=np.uint8))
    run = ran.records["vanilla"].folder
    for words in (
        ("run", "--plugins", "vanilla", "--track", ran.track, "--extractor", "lenet-mnist"),
        ("run", "--plugins", "vanilla", "--track", "digits-smoke", "--extractor", "coordinates"),
        ("evaluate", images, "--track", ran.track),
        ("evaluate", tmp_path, "--track", ran.track),
        ("evaluate", run, "--track", "digits-smoke"),
        ("evaluate", images, "--reference", "digits", "--extractor", "coordinates"),
        ("extractor", "train", "ring8", "--out", tmp_path / "x.safetensors"),
    ):
        answer = command(*words)
        assert answer.status == 2, (words, answer)
        assert len(answer.err.strip().splitlines()) == 1, (words, answer.err)


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_what_ships_is_known_and_fits_together(registry: Registry, name: str) -> None:
    track = registry.get("tracks", f"{name}-quick").thing
    assert (track.dataset, track.headline, track.metrics[0]) == (name, "mode_kl", "mode_kl")
    found = resolve(track, registry)
    assert found.dataset.sha256 == registry.get("datasets", name).thing.sha256
    assert found.board.headline.name == "mode_kl"
    assert (found.board.headline.direction, len(found.board.metrics)) == ("lower", len(track.metrics))
    with pytest.raises(RequestError, match="choose one for which lower is better"):
        resolve(track.model_copy(update={"headline": "high_quality"}), registry)


def test_the_headline_is_one_of_the_metrics(tmp_path: Path) -> None:
    path, wrong = tmp_path / "other.toml", tmp_path / "wrong.toml"
    path.write_text(TRACK.replace('headline = "mode_kl"\n', ""))
    assert read_track(path).headline == "fid"
    wrong.write_text(TRACK.replace('headline = "mode_kl"', 'headline = "kid"'))
    with pytest.raises(RequestError, match="'kid' is missing: boards are ranked by it"):
        read_track(wrong)
