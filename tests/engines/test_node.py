"""What a node is told of the command's Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ganbench.engines.node import own_paths


def test_paths_are_those_that_python_does_not_find_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backport among the user's packages must not come before the standard library."""
    given, users, appended = "/a/site-packages", "/home/a/.local/lib/python3/site-packages", "/home/a/models"
    library = str(Path(os.__file__).parent)
    installed = f"{sys.prefix}/lib/site-packages"
    monkeypatch.setattr(sys, "path", ["", given, library, f"{library}/lib-dynload", installed, users, appended])
    assert own_paths() == [given, appended]
