"""What an installed copy holds beside its packages (those are in test_house)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("pattern", ["ganbench/tracks/*.toml", "ganbench/extractors/weights/*", "ganbench/py.typed"])
def test_files_that_are_not_python_are_installed(pattern: str) -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    globs = [f"{package.replace('.', '/')}/{glob}" for package, found in data.items() for glob in found]
    installed = {path for glob in globs for path in ROOT.glob(glob)}
    assert installed.issuperset(needed := set(ROOT.glob(pattern)))
    assert needed
