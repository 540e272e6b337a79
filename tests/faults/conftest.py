"""What the faults are compared with, and the one run of all faulty models."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import MakeOnce
from .commands import Done, run, run_models


@pytest.fixture(scope="session")
def undisturbed(make_once: MakeOnce) -> Path:
    """The folder of the run that all others are compared with."""

    def make(folder: Path) -> Path:
        ended = run(folder)
        assert (ended.status, ended.err) == (0, "")
        return folder

    return make_once("undisturbed", make)


@pytest.fixture(scope="session")
def done(make_once: MakeOnce) -> Done:
    """The run of all faulty models."""
    return make_once("models", run_models)
