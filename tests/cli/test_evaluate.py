"""``ganbench evaluate`` and `ganbench.evaluate`: the same numbers whatever the form, and those of a run's scores."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganbench
from ganbench.data.dataset import Dataset
from ganbench.metric import Score, flatten
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.store.run_record import read_run
from ganbench.store.samples import SampleFile
from ganbench.store.score_record import SCORING_VERSION, read_score

from ..conftest import Answer, Smoke

Command = Callable[..., Answer]
TRACK = ("--track", "digits-smoke", "--device", "cpu")


def write_folder(folder: Path, pixels: np.ndarray, mode: str = "L") -> Path:
    folder.mkdir(parents=True)
    for index, image in enumerate(pixels):
        Image.fromarray(image[0]).convert(mode).save(folder / f"{index:04d}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """200 validation digits, as many as digits-smoke scores; tests only look at them."""
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
    assert {"fid", "fid_se", "kid", "is", "is_sd", "is_se", "recall", "copying", "cas_oracle_sd"} <= set(found[0])
    worse = ganbench.evaluate(255 - pixels, track="digits-smoke", device="cpu")
    assert worse["fid"] > 2 * found[0]["fid"]
    assert worse["kid"] > 2 * found[0]["kid"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute as the worker that scored the runs did: threads affect rounding."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def a_run(smoke: Smoke, name: str) -> Path:
    return next(path.parent for path in smoke.runs.glob("*/run.json") if read_run(path).spec.model_info.name == name)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["dcgan", "vae", "real", "noise", "replay"])
def test_a_run_gives_its_scores_again(smoke: Smoke, name: str) -> None:
    run = a_run(smoke, name)
    (score,) = (read_score(path) for path in (run / "scores").glob("*.json"))
    found, notes = told(lambda: ganbench.evaluate(run, device="cpu"))
    assert found == pytest.approx(flatten(score.metrics), rel=1e-9)
    assert set(found) == set(flatten(score.metrics))
    assert notes == []


def test_a_run_can_be_scored_in_part_and_against_the_validation_split(smoke: Smoke) -> None:
    run = a_run(smoke, "vae")
    whole = ganbench.evaluate(run, metrics="fid", device="cpu")
    found, (note,) = told(lambda: ganbench.evaluate(run, metrics="fid", n=150, device="cpu"))
    assert "n = 150" in note
    assert found != whole != ganbench.evaluate(run, metrics="fid", against="validation", device="cpu")
    with pytest.raises(ganbench.RequestError, match="holds the validation split itself: .*--against test"):
        ganbench.evaluate(a_run(smoke, "real"), against="validation", device="cpu")


def test_a_runs_samples_are_those_of_its_record(smoke: Smoke, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(a_run(smoke, "vae"), run)
    record = read_run(run / "run.json")
    assert record.samples is not None
    samples = run / record.samples.file
    np.save(samples, np.load(samples) ^ 1)
    with pytest.raises(ganbench.RequestError, match="not the samples that the run drew"):
        ganbench.evaluate(run, device="cpu")
    samples.unlink()
    with pytest.raises(ganbench.RequestError, match=f"were removed: `ganbench score {record.key}` draws them again"):
        ganbench.evaluate(run, device="cpu")
    outside = SampleFile(file="../other.npy", n=200, sha256=record.samples.sha256)
    record.model_copy(update={"samples": outside}).write(run / "run.json")
    with pytest.raises(ganbench.RequestError, match="leads out of its run's folder"):
        ganbench.evaluate(run, device="cpu")
    (run / "run.json").unlink()
    with pytest.raises(ganbench.RequestError, match="the run is not finished"):
        ganbench.evaluate(run, device="cpu")


def test_no_model_is_imported(smoke: Smoke) -> None:
    run = a_run(smoke, "vae")
    words = ["ganbench", "evaluate", str(run), "--metrics", "fid", "--device", "cpu", "--quiet"]
    code = (
        f"import sys; sys.argv = {words}\nfrom ganbench.cli.main import main\ntry: main()\nfinally: "
        "print([name for name in sys.modules if name.startswith(('ganbench_plugins', 'ganbench.training'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_labels_follow_the_numbers_in_file_names(mnist5k: Dataset, tmp_path: Path) -> None:
    for index, image in enumerate(mnist5k.validation.images[:120]):
        Image.fromarray(image[0]).save(tmp_path / f"{index}.png")
    labels = mnist5k.validation.labels[:120]
    found, notes = told(lambda: ganbench.evaluate(tmp_path, labels=labels, metrics="gan_test", device="cpu"))
    assert found["gan_test"] > 0.95
    assert any("2.png before 10.png" in note for note in notes)


def test_any_metrics_can_be_asked_for_alone(command: Command, folder: Path) -> None:
    answer = command("evaluate", folder, *TRACK, "--metrics", "kid")
    assert (answer.status, answer.err) == (0, "")
    assert "KID" in answer.out and "FID" not in answer.out
    few = command("evaluate", folder, *TRACK, "--metrics", "kid", "--samples", 99)
    assert "many scores depend on n" in few.out


def test_samples_are_compared_with_the_split_that_is_named(command: Command, digits: Dataset, tmp_path: Path) -> None:
    np.save(tmp_path / "real.npy", digits.validation.images)
    words = ("evaluate", tmp_path / "real.npy", *TRACK, "--metrics", "fid", "--json", tmp_path / "r.json", "--quiet")
    for split, name in (("validation", "digits (validation split)"), ("test", "digits (test split)")):
        assert command(*words, "--against", split) == Answer(0, "", "")
        report = json.loads((tmp_path / "r.json").read_text())
        assert report["reference"]["name"] == name
        assert (report["metrics"]["fid"]["value"] < 1e-3) == (split == "validation")


def test_the_report_says_what_a_reader_needs(
    command: Command, folder: Path, tmp_path: Path, registry: Registry
) -> None:
    file = tmp_path / "deep" / "report.json"
    answer = command("evaluate", folder, *TRACK, "--json", file)
    assert (answer.status, answer.err) == (0, "")
    report = json.loads(file.read_text())
    scores = ganbench.evaluate(folder, track="digits-smoke", device="cpu")
    found = {name: Score(**score) for name, score in report["metrics"].items()}
    assert flatten(found) == scores
    assert {score.n for score in found.values()} == {200}
    assert report["skipped"] == {"cas": "needs labels", "gan_test": "needs labels"}
    assert report["samples"]["n"] == 200
    assert report["samples"]["sha256"] != report["reference"]["sha256"]
    assert report["reference"]["name"] == "digits (test split)"
    assert report["reference"]["n"] == 300
    assert report["track"]["name"] == "digits-smoke"
    assert report["extractor"]["name"] == "lenet-mnist"
    assert report["extractor"]["sha256"] == registry.get("extractors", "lenet-mnist").thing.identity(None)
    assert set(report["metric_versions"]) == set(found)
    assert report["protocol"] == SCORING_VERSION
    assert "fingerprint" not in report
    assert report["track"]["metrics"] == list(find_track("digits-smoke", registry).metrics)
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
    assert not {"authenticity", "cas", "cas_oracle"} & set(found)
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
    assert right["cas"] > wrong["cas"] + 0.1
    with pytest.raises(ganbench.RequestError, match="label 10 is not a class"):
        ganbench.evaluate(folder, labels=labels + 1, **options)
    found, notes = told(lambda: ganbench.evaluate(folder, labels=labels, reference=folder, **options))
    assert "cas" not in found
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
    assert "cas_oracle" not in found
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
        (
            ["FOLDER", "--reference", "mnist5"],
            "--reference 'mnist5': is not a track, data set, folder or file (did you",
        ),
        (["FOLDER", "--reference", "RUN"], "is a run, not real images"),
        (["FOLDER", "--extractor", "lenet-minst"], "unknown extractor 'lenet-minst'"),
        (["FOLDER", "--weights", "nowhere.pth"], "--weights nowhere.pth: there is no such file"),
        (["FOLDER", "--labels", "FEW"], "give 200 class numbers, one an image"),
        (["FOLDER", "--labels", "nowhere.npy"], "nowhere.npy: there is no such file"),
        (["FOLDER", "--labels", "folders"], "0000.png: lies in no sub-folder named by a class number"),
        (["FOLDER", "--layout", "hwc"], "'hwc' is not one of"),
        (["FOLDER", "--json", "FOLDER/0000.png/x.json"], "--json"),
        (["GREY", "--range", "-1-1", "--samples", "3"], "3 images: at least 20"),
        (["GREY"], "pass --range 0-1 or --range -1-1"),
        (["RUNS"], "holds runs, not images: name one, such as"),
        (["RUN", "--labels", "FEW"], "leave out --labels"),
        (["RUN", "--samples", "0"], "--samples 0: at least 20"),
        ([""], "SAMPLES: the path is empty"),
        (["FOLDER", "--reference", ""], "--reference: the path is empty"),
        (["FOLDER", "--against", "train"], "'train' is not one of"),
        (["BROKEN"], "run.json: changed after it was written (its checksum does not match)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_evaluate_refuses(
    command: Command, smoke: Smoke, folder: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    np.save(tmp_path / "few.npy", np.zeros(3, np.int64))
    np.save(tmp_path / "grey.npy", np.full((30, 1, 8, 8), 0.3))
    run = a_run(smoke, "vae")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_bytes((run / "run.json").read_bytes()[:100])
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
