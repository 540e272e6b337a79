"""One bundle of a stranger's, and what it answers at every level; tests only look at them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from ..conftest import SMOKE, Answer, at, call
from ..once import MakeOnce
from .bundles import write_model


class Strange(NamedTuple):
    """A stranger's runs of two seeds, and the bundle of them."""

    model: Path
    runs: Path
    bundle: Path
    answer: Answer


@pytest.fixture(scope="session")
def strange(make_once: MakeOnce) -> Strange:
    def make(folder: Path) -> Strange:
        plugin = write_model(folder / "model")
        words = ("--plugins", plugin, *SMOKE, "--seeds", 2, "--no-baselines", "--jobs", 1, "--quiet", *at(folder))
        assert call("run", *words).status == 0
        out = folder / "strange.zip"
        answer = call("submit", "strange", "--code", folder / "model", "--runs", folder / "runs", "--out", out)
        return Strange(folder / "model", folder / "runs", out, answer)

    return make_once("strange", make)
