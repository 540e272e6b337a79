"""``ganbench evaluate`` and `ganbench.evaluate`: the same numbers whatever the form, and those of the record."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganbench
from ganbench.data.dataset import Dataset
from ganbench.metric import Score, flatten

from ..conftest import Answer, Smoke, stored

Command = Callable[..., Answer]
TRACK = ("--track", "digits-smoke", "--device", "cpu")


def write_folder(folder: Path, pixels: np.ndarray, mode: str = "L") -> Path:
    folder.mkdir(parents=True)
    for index, image in enumerate(pixels):
        Image.fromarray(image[0]).convert(mode).save(folder / f"{index:04d}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """200 held-out digits, as many as digits-smoke scores; tests only look at them."""
    return write_folder(tmp_path_factory.mktemp("made") / "samples", digits.validation.images[:200])


def told(function: Callable[[], dict[str, float]]) -> tuple[dict[str, float], list[str]]:
    """Return scores and the warnings that came with them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return function(), [str(each.message) for each in caught]


def test_folder_file_array_and_tensor_score_alike(folder: Path, digits: Dataset, tmp_path: Path) -> None:
    pixels = digits.validation.images[:200]
    np.savez(tmp_path / "fake.npz", images=pixels.transpose(0, 2, 3, 1))
    np.save(tmp_path / "fake.npy", (pixels / 127.5 - 1).astype(np.float32))
    forms = (folder, str(tmp_path / "fake.npz"), tmp_path / "fake.npy", pixels, torch.from_numpy(pixels))
    found = [ganbench.evaluate(form, track="digits-smoke", device="cpu") for form in forms]
    assert all(each == found[0] for each in found)
    assert {"fid", "fid_se", "kid", "is", "is_sd", "is_se", "recall", "copying", "acc_oracle_sd"} <= set(found[0])
    worse = ganbench.evaluate(255 - pixels, track="digits-smoke", device="cpu")
    assert worse["fid"] > 2 * found[0]["fid"]
    assert worse["kid"] > 2 * found[0]["kid"]


def test_a_run_gives_its_scores_again_and_no_model_is_imported(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("ganbench.registry.import_path.resolve")
    for label, each in stored(smoke.runs).items():
        (score,) = each.scores
        found, notes = told(lambda each=each: ganbench.evaluate(each.folder, device="cpu"))
        assert found == pytest.approx(flatten(score.metrics), rel=1e-4, abs=1e-4), label  # with more threads
        assert notes == []


def test_a_runs_samples_may_be_gone_and_another_n_is_said(smoke: Smoke, tmp_path: Path) -> None:
    source = stored(smoke.runs)["vae"].folder
    (tmp_path / "run.json").symlink_to(source / "run.json")
    with pytest.raises(ganbench.RequestError, match="`ganbench score [0-9a-f]{16}` draws them again"):
        ganbench.evaluate(tmp_path, device="cpu")
    shutil.copytree(source / "samples", tmp_path / "samples")
    _, (size,) = told(lambda: ganbench.evaluate(tmp_path, n=150, device="cpu"))
    assert "n = 150" in size


def test_the_report_says_what_a_reader_needs(command: Command, folder: Path, tmp_path: Path, digits: Dataset) -> None:
    file = tmp_path / "deep" / "report.json"
    answer = command("evaluate", folder, *TRACK, "--json", file)
    assert (answer.status, answer.err) == (0, "")
    report = json.loads(file.read_text())
    scores = ganbench.evaluate(folder, track="digits-smoke", device="cpu")
    found = {name: Score(**score) for name, score in report["metrics"].items()}
    assert flatten(found) == scores
    assert {score.n for score in found.values()} == {200}
    assert report["skipped"] == {"acc": "needs labels", "gan_test": "needs labels"}
    assert report["samples"]["n"] == 200
    assert report["samples"]["sha256"] != report["reference"]["sha256"]
    assert report["reference"]["name"] == "digits (test split)"
    assert report["reference"]["n"] == 300
    assert report["track"]["name"] == "digits-smoke"
    assert report["extractor"]["name"] == "lenet-mnist"
    assert set(report["metric_versions"]) == set(found)
    assert report["provenance"]["command"][:2] == ["ganbench", "evaluate"]
    assert report["provenance"]["torch"] == torch.__version__
    for said in (f"{scores['fid']:.3f}", "↓ lower", "↑ higher", "200", report["samples"]["sha256"][:12], str(file)):
        assert said in answer.out
    assert "note" not in answer.out
    quiet = command("evaluate", folder, *TRACK, "--json", file, "--quiet")
    assert quiet == Answer(0, "", "")


def test_a_reference_of_one_s_own(folder: Path, digits: Dataset, tmp_path: Path) -> None:
    real = write_folder(tmp_path / "real", digits.test.images[:200])
    options = {"track": "digits-smoke", "device": "cpu"}
    found, notes = told(lambda: ganbench.evaluate(folder, reference=real, **options))
    assert not {"authenticity", "acc", "acc_oracle"} & set(found)
    assert [note for note in notes if "--extractor takes another" in note] == notes
    again, _ = told(lambda: ganbench.evaluate(folder, reference=digits.test.images[:200], **options))
    assert found == again
    own, _ = told(lambda: ganbench.evaluate(folder, **options))
    named, _ = told(lambda: ganbench.evaluate(folder, reference="digits", **options))
    track, _ = told(lambda: ganbench.evaluate(folder, reference="digits-smoke", **options))
    assert own == named == track
    same, _ = told(lambda: ganbench.evaluate(real, reference=real, **options))
    assert same["fid"] == pytest.approx(0, abs=1e-6)
    assert same["precision"] == same["coverage"] == 1.0


def test_labels_give_accuracy_where_they_apply(folder: Path, digits: Dataset) -> None:
    labels = digits.validation.labels[:200]
    options = {"track": "digits-smoke", "device": "cpu"}
    right = ganbench.evaluate(folder, labels=labels, **options)
    wrong = ganbench.evaluate(folder, labels=(labels + 1) % 10, **options)
    assert right["acc"] > wrong["acc"] + 0.1
    with pytest.raises(ganbench.RequestError, match="label 10 is no class"):
        ganbench.evaluate(folder, labels=labels + 1, **options)
    found, notes = told(lambda: ganbench.evaluate(folder, labels=labels, reference=folder, **options))
    assert "acc" not in found
    assert any("labels are not used" in note for note in notes)


def test_n_that_differs_is_said_in_one_line(command: Command, folder: Path) -> None:
    answer = command("evaluate", folder, *TRACK, "--samples", 99)
    (line,) = (line for line in answer.out.splitlines() if line.startswith("note"))
    assert "n = 99, but the reference has 300 images and digits-smoke scores 200 samples: FID depends on n" in line
    assert "99 of 200 images" in answer.out


def test_grey_saved_as_rgb_is_grey_and_other_channels_are_refused(
    command: Command, folder: Path, digits: Dataset, tmp_path: Path
) -> None:
    rgb = write_folder(tmp_path / "rgb", digits.validation.images[:200], "RGB")
    found, notes = told(lambda: ganbench.evaluate(rgb, track="digits-smoke", device="cpu"))
    assert found == ganbench.evaluate(folder, track="digits-smoke", device="cpu")
    assert ["three equal channels" in note for note in notes] == [True]
    colour = np.repeat(digits.validation.images[:200], 3, axis=1)
    colour[0, 0] ^= 1
    np.save(tmp_path / "colour.npy", colour)
    answer = command("evaluate", tmp_path / "colour.npy", *TRACK)
    assert answer.status == 2
    assert "has 3 channels, the reference digits (test split) has 1: save it as grey" in answer.err


def test_another_size_is_said_and_has_no_accuracy(digits: Dataset) -> None:
    larger = np.kron(digits.validation.images[:200], np.ones((1, 1, 2, 2), np.uint8))
    found, notes = told(lambda: ganbench.evaluate(larger, track="digits-smoke", device="cpu"))
    assert "acc_oracle" not in found
    assert any("samples are 16x16, the reference 8x8" in note for note in notes)


def test_lossy_files_are_a_warning(digits: Dataset, tmp_path: Path) -> None:
    for index, image in enumerate(digits.validation.images[:200]):
        Image.fromarray(image[0]).save(tmp_path / f"{index}.jpg")
    with pytest.warns(UserWarning, match="200 of 200 files are compressed with loss"):
        ganbench.evaluate(tmp_path, track="digits-smoke", device="cpu")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "SAMPLES"),
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["FOLDER", "--samples", "19"], "19 images: at least 20 are needed"),
        (["FOLDER", "--samples", "201"], "--samples 201: there are 200 images"),
        (["FOLDER", "--samples", "0"], "--samples 0"),
        (["FOLDER", "--track", "digit-smoke"], "unknown track 'digit-smoke' (did you mean 'digits-smoke'?)"),
        (["FOLDER", "--reference", "mnist5"], "--reference 'mnist5': is no track, data set, folder or file (did you"),
        (["FOLDER", "--reference", "RUN"], "is a run, not real images"),
        (["FOLDER", "--extractor", "lenet-minst"], "unknown extractor 'lenet-minst'"),
        (["FOLDER", "--weights", "nowhere.pth"], "--weights nowhere.pth: there is no such file"),
        (["FOLDER", "--labels", "FEW"], "give 200 class numbers, one an image"),
        (["FOLDER", "--labels", "nowhere.npy"], "nowhere.npy: there is no such file"),
        (["FOLDER", "--labels", "folders"], "lies in no sub-folder named by a class number"),
        (["FOLDER", "--layout", "hwc"], "'hwc' is not one of"),
        (["FOLDER", "--json", "FOLDER/0000.png/x.json"], "--json"),
        (["GREY", "--range", "-1-1", "--samples", "3"], "3 images: at least 20"),
        (["GREY"], "pass --range 0-1 or --range -1-1"),
        (["RUNS"], "holds runs, not images: name one, such as"),
        (["RUN", "--labels", "FEW"], "leave out --labels"),
        (["RUN", "--samples", "0"], "--samples 0: at least 20"),
        (["BROKEN"], "run.json: changed after it was written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_evaluate_refuses(
    command: Command, smoke: Smoke, folder: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    np.save(tmp_path / "few.npy", np.zeros(3, np.int64))
    np.save(tmp_path / "grey.npy", np.full((30, 1, 8, 8), 0.3))
    run = next(smoke.runs.glob("*/run.json")).parent
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_bytes((run / "run.json").read_bytes()[:1000])
    places = {
        "FOLDER": folder, "FEW": tmp_path / "few.npy", "GREY": tmp_path / "grey.npy", "RUNS": smoke.runs, "RUN": run,
        "BROKEN": tmp_path / "broken",
    }  # fmt: skip
    track = [] if "--track" in words or words[:1] in (["RUN"], ["BROKEN"]) else TRACK[:2]
    named = [
        str(places.get(word.split("/")[0], word.split("/")[0])) + word[len(word.split("/")[0]) :] for word in words
    ]
    answer = command("evaluate", *named, *track)
    assert answer.status == 2, answer
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert said in answer.err


def test_long_work_says_so_on_a_pipe_too(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganbench.cli.progress_bar.PAUSE", 0.0)
    answer = command("evaluate", folder, *TRACK)
    assert "features 200 of 200" in answer.err.splitlines()
    assert command("evaluate", folder, *TRACK, "--quiet") == Answer(0, "", "")
