"""ganbench from Python."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ganbench

from .conftest import Smoke

MODEL = """
import torch
import ganbench

class Mine(ganbench.Model):
    name = "mine"
    def step(self, batch): return {"loss": batch.images.mean()}
    def sample(self, n, labels=None): return torch.zeros(n, *self.data.shape)
"""


def test_public_names_are_there_and_torch_is_imported_late() -> None:
    for name in ganbench.__all__:
        assert getattr(ganbench, name) is not None
    assert set(ganbench.__all__) <= set(dir(ganbench))
    with pytest.raises(AttributeError, match="nothing_like_it"):
        ganbench.nothing_like_it  # noqa: B018
    code = "import sys, ganbench; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_run_takes_a_class_of_any_importable_module(
    smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models_of_mine.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    model = importlib.import_module("models_of_mine").Mine
    runs = shutil.copytree(smoke.runs, tmp_path / "runs")  # the baselines are done
    records = ganbench.run([model, "vae"], track="digits-smoke", seeds=1, budget="5steps", runs=runs)
    assert [(record.spec.model_info.name, record.status, record.reason) for record in records] == [
        (name, "ok", "") for name in ("mine", "vae")
    ]
    board = ganbench.leaderboard(runs, track="digits-smoke", budget="5steps", published=None)
    assert set(board["model"]) == {"mine", "vae", "dcgan", "real", "noise", "replay"}
    assert ganbench.score([records[0].key], runs=runs, metrics="vendi") == [records[0].key]
    assert ganbench.score([records[0].key], runs=runs, metrics="vendi") == []  # it is there


def test_run_refuses_what_the_command_line_refuses(tmp_path: Path) -> None:
    for wrong in (
        {"models": "vea"},
        {"models": []},
        {"models": "vae", "seeds": 0},
        {"models": "vae", "budget": "soon"},
        {"models": "vae", "budget": 5},
    ):
        with pytest.raises(ganbench.RequestError):
            ganbench.run(**{"track": "digits-smoke", "runs": tmp_path, **wrong})
