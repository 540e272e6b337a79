"""A marker that only code of an attacker's would make, and good things to be spoilt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ..conftest import Smoke, stored
from .attacks import Code


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """A file that only code of the attacker's would make."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists(), "code from a file was executed"


@pytest.fixture
def code(marker: Path) -> Code:
    return Code(marker)


@pytest.fixture
def run_folder(smoke: Smoke, tmp_path: Path) -> Path:
    """A copy of a trained run, to be spoilt."""
    found = stored(smoke.runs)["dcgan"].folder
    assert (found / "checkpoint.pt").exists()
    return Path(shutil.copytree(found, tmp_path / "runs" / found.name))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (30, 8, 8), dtype=np.uint8))
    return path
