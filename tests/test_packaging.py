"""What an installed copy holds beside its packages (those are in test_house), and the versions it stands on."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.mark.parametrize(
    "pattern",
    [
        *("ganbench/tracks/*.toml", "ganbench/data/*.npz", "ganbench/extractors/weights/*", "ganbench/py.typed"),
        "ganbench/report/templates/*",
    ],
)
def test_files_that_are_not_python_are_installed(pattern: str) -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    globs = [f"{package.replace('.', '/')}/{glob}" for package, found in data.items() for glob in found]
    installed = {path for glob in globs for path in ROOT.glob(glob)}
    assert installed.issuperset(needed := set(ROOT.glob(pattern)))
    assert needed


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["dev"]])
def test_every_dependency_is_bounded_and_what_is_installed_lies_within(text: str) -> None:
    wanted = Requirement(text)
    if wanted.name == "ganbench":
        return
    assert sorted(bound.operator for bound in wanted.specifier) == ["<", ">="]
    try:
        installed = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        assert text in EXTRAS["dev"]
    else:
        assert wanted.specifier.contains(installed, prereleases=True)
