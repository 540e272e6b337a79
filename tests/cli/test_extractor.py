"""``ganbench extractor train`` and ``ganbench extractors``: a file made, listed, used and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganbench.data.dataset import Dataset
from ganbench.extractors.classifier_file import read_info
from ganbench.extractors.torch_fidelity import NETWORKS
from ganbench.store.score_record import read_score
from ganbench.util.atomic_io import sha256_of

from ..conftest import Answer, at, call

Command = Callable[..., Answer]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("extractor")


@pytest.fixture(scope="module")
def trained(folder: Path) -> Answer:
    """One training in a folder of its own, under the default name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return call("extractor", "train", "digits", "--epochs", 8)


@pytest.fixture
def file(folder: Path, trained: Answer) -> Path:
    return folder / "digits.safetensors"


def test_training_says_what_it_does_and_how_the_file_is_used(trained: Answer, file: Path) -> None:
    assert (trained.status, trained.err) == (0, "")
    lines = trained.out.splitlines()
    assert lines[0].startswith("digits: 1,197 training images of 1x8x8, 10 classes; convnet, 8 epochs, 72 updates, ")
    assert [line.split()[1] for line in lines[1:9]] == [f"{epoch}/8" for epoch in range(1, 9)]
    info = read_info(file)
    assert lines[9] == f"accuracy on the 300 test images: {info.test_accuracy:.4f}"
    assert info.test_accuracy > 0.9
    assert f"sha256 {sha256_of(file)[:12]}" in lines[10]
    assert "  ganbench evaluate SAMPLES --reference digits --extractor digits.safetensors" in lines
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_a_long_training_prints_not_every_epoch(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.cli.extractor.LINES", 2)
    answer = command("extractor", "train", "digits", "--epochs", 5, "--out", tmp_path / "a.safetensors")
    told = [line.split()[1] for line in answer.out.splitlines() if line.startswith("epoch")]
    assert told == ["3/5", "5/5"]


def test_a_file_is_not_overwritten_unasked(command: Command, file: Path) -> None:
    before = file.read_bytes()
    answer = command("extractor", "train", "digits", "--out", file, "--epochs", 1)
    assert answer.status == 2
    assert answer.err == f"ganbench: --out {file}: is there already: name another file, or overwrite it with --force\n"
    assert file.read_bytes() == before
    copy = file.with_name("copy.safetensors")
    copy.write_bytes(before)
    words = ("extractor", "train", "digits", "--out", copy, "--epochs", 1, "--force", "--quiet")
    assert command(*words) == Answer(0, "", "")
    assert read_info(copy).epochs == 1
    copy.unlink()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["digit"], "did you mean 'digits'?"),
        (["digits", "--out", "x.bin"], "--out x.bin: give it the ending .safetensors"),
        (["digits", "--epochs", "0"], "'--epochs'"),
        (["digits", "--device", "abacus"], "--device"),
        (["digits", "--out", "/proc/none/x.safetensors"], "--out /proc/none: cannot be written"),
    ],
)
def test_a_wrong_request_is_one_line(
    command: Command, words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command("extractor", "train", *words)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_file_is_described(command: Command, file: Path) -> None:
    answer = command("extractors", file)
    assert (answer.status, answer.err) == (0, "")
    title, *lines = answer.out.splitlines()
    told = {line[:24].strip(): line[24:] for line in lines}
    assert title == str(file)
    assert (told["dataset"], told["architecture"], told["sha256"]) == ("digits", "convnet", sha256_of(file))
    assert (told["input shape"], told["test images"]) == ("1x8x8", "300")
    wrong = command("extractors", file, file.with_name("none.safetensors"))
    assert (wrong.status, wrong.out) == (2, "")
    assert "none.safetensors" in wrong.err


def rows(answer: Answer) -> dict[str, str]:
    assert (answer.status, answer.err) == (0, "")
    return {line.split()[0]: " ".join(line.split()[1:]) for line in answer.out.splitlines() if line.strip()}


def test_the_list_says_whether_weights_are_here(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    found = rows(command("extractors"))
    assert " 128 here c6d808f53225 " in found["lenet-mnist"]
    assert " – name a file: --weights – " in found["classifier"]
    assert " 4096 downloaded on first use – " in found["vgg16"]
    checkpoint = tmp_path / "hub" / NETWORKS["vgg16"].files[0]
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert " 4096 here, downloaded – " in rows(command("extractors"))["vgg16"]


PLUGIN = """
from pathlib import Path
import ganbench
from ganbench.extractors.base import ExtractorSource
from ganbench.extractors.classifier_file import classifier_source

def load(device, weights):
    raise NotImplementedError

@ganbench.hookimpl
def ganbench_register_extractors(register):
    register(classifier_source("my-net", Path({path!r})))
    register(classifier_source("lost-net", Path("/nowhere/lost.safetensors")))
    register(ExtractorSource("terse-net", "says little", load, sha256=str))
"""


def test_a_packages_extractors_are_listed(
    command: Command, file: Path, distribution: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    distribution("my-package", PLUGIN.format(path=str(file)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = rows(command("extractors"))
    assert f" 128 here {sha256_of(file)[:12]} my-package 1.2" in found["my-net"]
    assert " – missing: reinstall – my-package" in found["lost-net"]
    assert "says little – – – my-package" in found["terse-net"]


def test_samples_are_scored_by_a_file(command: Command, file: Path, digits: Dataset, tmp_path: Path) -> None:
    np.savez(tmp_path / "real.npz", images=digits.validation.images)
    words = ("evaluate", tmp_path / "real.npz", "--reference", "digits")
    by_name = command(*words, "--extractor", "classifier", "--weights", file)
    assert (by_name.status, by_name.err) == (0, "")
    assert f"extractor  classifier, sha256 {sha256_of(file)[:12]}" in by_name.out
    assert command(*words, "--extractor", file).out == by_name.out


def test_a_file_is_a_second_opinion_on_a_board(command: Command, file: Path, tmp_path: Path) -> None:
    words = (
        "run", "--plugins", "vae", "--track", "digits-smoke", "--seeds", 1, "--budget", "5steps",
        "--no-baselines", *at(tmp_path),
    )  # fmt: skip
    answer = command(*words, "--extractor", file)
    assert (answer.status, answer.err) == (0, "")
    again = command(*words, "--extractor", "classifier", "--weights", file)
    assert "nothing to train" in again.out
    head = (tmp_path / "boards" / "digits-smoke+5steps.csv").read_text().splitlines()[0].split(",")
    assert head.index("fid") < head.index("fid@classifier")
    found = {read_score(path).protocol.extractor_sha256 for path in tmp_path.glob("runs/*/scores/*.json")}
    assert f"{sha256_of(file)}/p1" in found
