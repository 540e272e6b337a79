"""``ganbench check``: all rules at once, in processes that a model may end; then seconds of training."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ganbench.testing import CHECKS

from ..conftest import Answer

Command = Callable[..., Answer]
MODEL = '''
import os
from dataclasses import dataclass

import torch

import ganbench

class Sound(ganbench.Model):
    """Learns the mean image."""

    name = "sound"

    def __init__(self, data, config):
        super().__init__(data, config)
        self.mean = torch.nn.Parameter(torch.randn(data.shape) / 10)

    def step(self, batch):
        loss = (self.mean - batch.images.mean(0)).square().mean()
        with torch.no_grad():
            self.mean += (batch.images.mean(0) - self.mean) / 10
        return {"loss": loss.detach()}

    def sample(self, n, labels=None):
        noise = torch.randn(n, *self.data.shape, device=self.mean.device)
        return (self.mean + noise / 10).clamp(-1, 1)

class Leaving(Sound):
    """Ends the process where it is to make three samples, and returns losses that are none."""

    name = "leaving"

    def sample(self, n, labels=None):
        if n == 3:
            print("good bye", flush=True)
            os._exit(7)
        return super().sample(n)

    def step(self, batch):
        return {"loss": 1.0}

@ganbench.hookimpl
def ganbench_register_models(register):
    register(Sound)
    register(Leaving)
    register(len)
'''
TWO_METRICS = """
import ganbench
from types import SimpleNamespace

@ganbench.hookimpl
def ganbench_register_metrics(register):
    register(SimpleNamespace(name="_wrong"))
    register(ganbench.Metric(
        name="digits", title="x", direction="neither", meaning="x", source="x", compute=lambda context: 1.0
    ))
"""
PROJECT = """
[project]
name = "means"
version = "1.0"

[project.entry-points.ganbench]
means = "means_of_images"
nothing = "nothing_there"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package, in whose folder commands run."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "means_of_images.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sound_model_is_trained_and_shown(command: Command, here: Path) -> None:
    before = set(here.iterdir())
    answer = command("check", "./means_of_images.py:Sound", "--seconds", "0.5")
    assert (answer.status, answer.err) == (0, ""), answer.out
    assert all(f"  ✓ {check.name} " in answer.out for check in CHECKS)
    (line,) = (line for line in answer.out.splitlines() if "trained for" in line)
    assert line.endswith("samples: check-sound.png")
    found = re.search(r"FID (\d+) of 500 samples \(noise (\d+), real images (\d+)\)", line)
    assert found is not None
    fid, noise, real = map(int, found.groups())
    assert real < fid and real < noise
    with Image.open(here / "check-sound.png") as picture:
        assert min(picture.size) > 100
    assert {path.name for path in set(here.iterdir()) - before} <= {"check-sound.png", "__pycache__"}


def test_all_of_a_package_is_checked_and_all_that_is_broken_told(command: Command, here: Path) -> None:
    answer = command("check", ".", "--seconds", "0", "--json")
    assert (answer.status, answer.err) == (1, "")
    found = json.loads(answer.out)
    assert not found["held"]
    assert len(found["broken"]) == 2  # one item, and one entry point: neither keeps the others from being checked
    assert any("No module named 'nothing_there'" in each for each in found["broken"])
    sound, leaving = found["checked"]
    assert sound["name"] == "sound" and not any(rule["failure"] for rule in sound["rules"])
    told = {rule["check"]: rule["failure"] for rule in leaving["rules"]}
    assert set(told) == {check.name for check in CHECKS}
    assert "loss 'loss' is no 0-d tensor but a float" in told["returns_finite_losses"]


def test_what_ends_its_process_is_told(command: Command, here: Path) -> None:
    source = MODEL.replace('return {"loss": 1.0}', "return super().step(batch)")
    (here / "means_of_images.py").write_text(source)
    answer = command("check", "./means_of_images.py:Leaving", "--seconds", "0")
    assert answer.status == 1
    lines = {line.split()[1]: line for line in answer.out.splitlines() if line.startswith("  ")}
    assert lines.pop("samples_any_number").endswith("ended its process with status 7: good bye")
    assert [line[:3] for line in lines.values()] == ["  ✓"] * (len(CHECKS) - 1) + ["  1"]  # all rules but one hold


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["vanila"], "nothing is called 'vanila', and there is no such folder (did you mean 'vanilla'?)"),
        (["fid", "--kind", "model"], "unknown model 'fid'"),
        (["./nobody.py:Nothing"], "nobody.py: there is no such file"),
        (["./means_of_images.py:Nothing"], "defines no 'Nothing'"),
        (["./means_of_images.py"], "say which class or object of the file: ./means_of_images.py:NAME"),
        (["fid", "--out", "x.png"], "is one picture, and 0 models are checked"),
        (["vanilla", "--out", "no/x.png"], "there is no folder"),
        ([""], "an empty name"),
        (["fid", "--seconds", "-1"], "-1"),
    ],
)
def test_a_wrong_request_is_one_line(command: Command, here: Path, words: list[str], says: str) -> None:
    answer = command("check", *words)
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err and answer.err.count("\n") == 1


def test_a_folder_without_a_package_is_refused(command: Command, here: Path) -> None:
    (here / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    answer = command("check", ".")
    assert answer.status == 2 and "has no entry points in the group 'ganbench'" in answer.err


def test_a_name_that_two_kinds_have_and_what_is_broken_under_a_name(
    command: Command, distribution: Callable[..., str]
) -> None:
    distribution("two-metrics", TWO_METRICS)
    answer = command("check", "digits")
    assert answer.status == 2
    assert "'digits' is a dataset and a metric: say which with --kind dataset" in answer.err
    answer = command("check", "_wrong")
    assert answer.status == 2 and "metric '_wrong' of two-metrics 1.2" in answer.err and "is broken" in answer.err


def test_a_file_is_checked_though_its_model_is_installed(
    command: Command, here: Path, distribution: Callable[..., str]
) -> None:
    distribution("means", MODEL)
    answer = command("check", "./means_of_images.py:Sound", "--seconds", "0.5")
    assert (answer.status, answer.err) == (0, ""), answer.out
    assert "trained for" in answer.out


def test_a_track_by_name(command: Command) -> None:
    answer = command("check", "digits-smoke")
    assert (answer.status, answer.err) == (0, "")
    assert "track digits-smoke\n" in answer.out and "4 of 4 rules hold" in answer.out


def test_an_engine_is_nothing_that_can_be_checked(command: Callable[..., Answer]) -> None:
    answer = command("check", "local")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("ganbench: nothing is called 'local'")
