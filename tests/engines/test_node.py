"""What a node is told of the command's Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ganbench.engine import EngineRequest, Task
from ganbench.engines.node import order_of


def test_paths_are_those_that_python_does_not_find_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backport among the user's packages must not come before the standard library."""
    given, users, appended = "/a/site-packages", "/home/a/.local/lib/python3/site-packages", "/home/a/models"
    library = str(Path(os.__file__).parent)
    installed = f"{sys.prefix}/lib/site-packages"
    monkeypatch.setattr(sys, "path", ["", given, library, f"{library}/lib-dynload", installed, users, appended])
    order = order_of(Task("a", "b:c", {}, tmp_path / "log"), EngineRequest(1, 1, tmp_path))
    assert order["paths"] == [given, appended]
