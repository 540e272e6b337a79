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
from ganbench.experiment.plan import identify
from ganbench.registry.registry import Registry
from ganbench.store.run_record import Record, read_record
from ganbench.tracks.track import read_track

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
metrics = ["mode_kl", "modes", "good", "coverage", "fid", "is"]
"""


class Ran(NamedTuple):
    """A run on points: its track, its folders and its records by model."""

    track: Path
    runs: Path
    boards: Path
    records: dict[str, Record]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, command: Callable) -> Ran:
    folder = tmp_path_factory.mktemp("points")
    track = folder / "ring.toml"
    track.write_text(TRACK)
    runs, boards = folder / "runs", folder / "boards"
    answer = command(
        "run", "--plugins", "vanilla,real,noise", "--no-baselines", "--track", track, "--jobs", 1, "--device", "cpu",
        "--out", runs, "--boards", boards,
    )  # fmt: skip
    assert answer.status == 0, answer.err
    records = [read_record(path) for path in runs.glob("*/record.json")]
    return Ran(track, runs, boards, {record.model: record for record in records})


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_records_hold_what_applies_to_points(ran: Ran) -> None:
    assert set(ran.records) == {"real", "noise", "vanilla"}
    real, noise, vanilla = (ran.records[name] for name in ("real", "noise", "vanilla"))
    assert real.metrics["modes"].value == 8
    assert real.metrics["good"].value > 0.95 > 0.05 > noise.metrics["good"].value
    assert noise.metrics["mode_kl"].value > 3 > 0.1 > real.metrics["mode_kl"].value
    assert vanilla.absent == {"is": "needs probabilities"}
    assert [point["n"] for point in vanilla.curve] == [100, 100, 100]
    assert all("mode_kl" in point for point in vanilla.curve)


def test_each_trial_has_its_pictures(ran: Ran) -> None:
    for name, record in ran.records.items():
        folder = ran.runs / record.key
        assert size(folder / "samples.png") == (640, 640)
        assert ("training.png" in record.files) == (folder / "training.png").exists() == (name == "vanilla")
    assert size(ran.runs / ran.records["vanilla"].key / "training.png") == (900, 324)


def test_the_board_is_ranked_by_its_own_headline(ran: Ran) -> None:
    with open(ran.boards / "ring-smoke.csv") as file:
        rows = list(csv.DictReader(file))
    first = "rank model family trials failed mode_kl mode_kl_low mode_kl_high modes"
    assert " ".join(list(rows[0])[:9]) == first
    assert [row["model"] for row in rows] == ["real", "vanilla", "noise"]
    assert rows[1]["rank"] == "1"
    page = (ran.boards / "ring-smoke.md").read_text()
    assert "Ranked by mode KL, less is better" in page
    assert "FID over" not in page
    assert size(ran.boards / "ring-smoke" / "grids.png")[0] > 3 * 320
    assert (ran.boards / "ring-smoke" / "curves.png").exists()


def test_commands_meet_points(ran: Ran, command: Callable, tmp_path: Path) -> None:
    record = ran.records["vanilla"]
    folder, report = ran.runs / record.key, tmp_path / "report.json"
    again = command("evaluate", folder, "--device", "cpu", "--json", report, "--quiet")
    assert again.status == 0, again.err
    content = json.loads(report.read_text())
    assert {name: each["value"] for name, each in content["metrics"].items()} == {
        name: each.value for name, each in record.metrics.items()
    }
    assert content["preprocessing"]["samples"] == "clamped to [-1, 1], float32"
    points = tmp_path / "points.npy"
    np.save(points, np.random.default_rng(0).uniform(-1, 1, (200, 2)))
    assert command("evaluate", points, "--track", ran.track, "--device", "cpu").status == 0
    picture = tmp_path / "some.png"
    assert command("sample", record.key, "--runs", ran.runs, "-n", 50, "--out", picture).status == 0
    assert size(picture) == (640, 640)
    assert "points = model.sample(64)  # float (64, 2)" in command("load", folder).out
    assert "mode KL" in command("runs", "--out", ran.runs).out
    shown = command("show", record.key, "--out", ran.runs)
    assert shown.status == 0
    assert "training.png" in shown.out


def test_what_does_not_go_together_is_refused_in_one_line(ran: Ran, command: Callable, tmp_path: Path) -> None:
    images = tmp_path / "images.npy"
    np.save(images, np.zeros((30, 1, 8, 8), dtype=np.uint8))
    run = ran.runs / ran.records["vanilla"].key
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
    info = identify(track, registry, None, None)
    assert info.dataset_sha256 == registry.get("datasets", name).thing.sha256
    assert info.headline.name == "mode_kl"
    assert (info.headline.direction, len(info.metrics)) == ("lower", len(track.metrics))
    with pytest.raises(RequestError, match="name a metric of which less is better"):
        identify(track.model_copy(update={"headline": "good"}), registry, None, None)


def test_the_headline_is_one_of_the_metrics_and_leaves_other_fingerprints_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(TRACK.replace('headline = "mode_kl"\n', ""))
    by_fid, by_modes = read_track(path), tmp_path / "wrong.toml"
    assert by_fid.headline == "fid"
    assert by_fid.fingerprint("d", "e", ()) != by_fid.model_copy(update={"headline": "modes"}).fingerprint("d", "e", ())
    by_modes.write_text(TRACK.replace('headline = "mode_kl"', 'headline = "kid"'))
    with pytest.raises(RequestError, match="'kid' is missing: boards are ranked by it"):
        read_track(by_modes)
