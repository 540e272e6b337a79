"""A folder of images from the command line: trained on, scored, reproduced, and missed once it is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from ganbench.data.dataset import Dataset

from ..conftest import Answer, at, stored

TRACK = """
name = "mine"
version = 1
summary = "my own images"
dataset = "folder:PATH?size=8"
budget = "5steps"
seeds = 1
samples = 40
curve_points = 1
curve_samples = 20
extractor = "lenet-mnist"
classifier_steps = 5
"""


def test_a_folder_of_images_is_a_data_set(command: Callable[..., Answer], tmp_path: Path, digits: Dataset) -> None:
    assert digits.train.labels is not None
    for index in range(200):
        place = tmp_path / "images" / str(digits.train.labels[index])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.train.images[index, 0]).save(place / f"{index}.png")
    track, runs = tmp_path / "mine.toml", tmp_path / "runs"
    track.write_text(TRACK.replace("PATH", str(tmp_path / "images")))
    words = ("--track", track, "--device", "cpu")
    run = ("run", "--plugins", "vae", "--no-baselines", *at(tmp_path), *words)
    answer = command(*run)
    assert (answer.status, answer.err) == (0, "")
    folder = stored(runs)["vae"].folder
    assert command("evaluate", folder, *words, "--quiet").status == 0
    answer = command("evaluate", tmp_path / "images", *words, "--samples", 40)
    assert "(test split): 40 images" in answer.out
    again = ("reproduce", folder, "--out", tmp_path / "again")
    assert "equal: all" in command(*again).out

    (tmp_path / "images").rename(tmp_path / "moved")
    for gone in (run, ("reproduce", folder, "--out", tmp_path / "third")):
        answer = command(*gone)
        assert answer.status == 2
        assert f"{tmp_path / 'images'}: there is no such folder" in answer.err
        assert answer.err.count("\n") == 1
    track.write_text(TRACK.replace("PATH", str(tmp_path / "moved")))
    assert "nothing to train" in command(*run).out  # where the images lie does not decide the result
