"""What the faults are compared with, and the one run of all faulty models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import shared_folder
from ..once import MakeOnce
from ..zygote import ROOT
from .commands import Done, run, run_models


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the run of all faulty models where a test will look at it."""
    wanted = any("done" in getattr(item, "fixturenames", ()) and "faults" in item.path.parts for item in session.items)
    if wanted and not session.config.option.collectonly and os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
        shared = shared_folder(session.config._tmp_path_factory)  # type: ignore[attr-defined]
        nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        words = [sys.executable, "-m", f"{__package__}.early", str(shared)]
        subprocess.Popen(words, cwd=ROOT, **nowhere).returncode = 0  # nobody waits for it: it fails with the fixture


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
