"""Saved statistics: a reference without its images, refused where they are of other features."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganbench.data.dataset import Dataset

from ...conftest import Answer

Command = Callable[..., Answer]
TRACK = ("--track", "digits-smoke", "--device", "cpu")


@pytest.fixture
def fake(digits: Dataset, tmp_path: Path) -> Path:
    np.save(tmp_path / "fake.npy", digits.validation.images[:200])
    return tmp_path / "fake.npy"


@pytest.fixture
def saved(command: Command, digits: Dataset, tmp_path: Path) -> Path:
    np.save(tmp_path / "real.npy", digits.test.images)
    answer = command("evaluate", tmp_path / "real.npy", *TRACK, "--save-statistics", tmp_path / "real.npz")
    assert (answer.status, answer.err) == (0, "")
    assert str(tmp_path / "real.npz") in answer.out
    return tmp_path / "real.npz"


def test_they_give_the_fid_that_their_images_give(command: Command, fake: Path, saved: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    answer = command("evaluate", fake, *TRACK, "--reference", saved, "--json", report)
    assert answer.status == 0
    found = json.loads(report.read_text())
    assert (
        command("evaluate", fake, *TRACK, "--reference", tmp_path / "real.npy", "--json", tmp_path / "i.json").status
        == 0
    )
    by_images = json.loads((tmp_path / "i.json").read_text())["metrics"]["fid"]
    assert found["metrics"]["fid"]["value"] == pytest.approx(by_images["value"], rel=1e-6)
    assert found["metrics"]["fid"]["se"] == pytest.approx(by_images["se"], rel=1e-4)
    assert set(found["metrics"]) == {"fid", "is"}
    assert found["skipped"]["precision"] == "needs reference"
    assert (found["reference"]["kind"], found["reference"]["n"]) == ("statistics", 300)
    assert found["reference"]["reading"]["extractor"] == "lenet-mnist"
    assert "n = 200, but the reference has 300 images" in answer.out


def test_another_extractor_is_refused(command: Command, fake: Path, saved: Path) -> None:
    answer = command("evaluate", fake, *TRACK, "--reference", saved, "--extractor", "lenet-fashion-mnist")
    assert answer.status == 2
    assert "its features are those of lenet-mnist, not of this lenet-fashion-mnist" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_files_of_pytorch_fid_are_read_and_what_they_do_not_say_is_said(
    command: Command, fake: Path, saved: Path, tmp_path: Path
) -> None:
    with np.load(saved) as file:
        np.savez(tmp_path / "theirs.npz", mu=file["mu"], sigma=file["sigma"])
    answer = command("evaluate", fake, *TRACK, "--reference", tmp_path / "theirs.npz")
    assert answer.status == 0
    assert "the reference's n is not known" in answer.out
    assert "does not say which extractor made it" in answer.out


def test_a_damaged_file_is_one_line(command: Command, fake: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", mu=np.zeros(3), sigma=np.zeros((2, 2)))
    answer = command("evaluate", fake, *TRACK, "--reference", tmp_path / "bad.npz")
    assert answer.status == 2
    assert "mu (3,) and sigma (2, 2) do not fit" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_another_width_is_one_line(command: Command, fake: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "wide.npz", mu=np.zeros(3), sigma=np.eye(3))
    answer = command("evaluate", fake, *TRACK, "--reference", tmp_path / "wide.npz")
    assert answer.status == 2
    assert len(answer.err.splitlines()) == 1
