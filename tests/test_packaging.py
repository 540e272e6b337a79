"""What an installed copy holds, that it can be built and run, and the versions that it depends on."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import ganbench

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.mark.parametrize(
    "pattern",
    [
        *("ganbench/tracks/*.toml", "ganbench/data/*.npz", "ganbench/extractors/weights/*", "ganbench/py.typed"),
        "ganbench/report/templates/*",
        "ganbench/authoring/templates/*",
    ],
)
def test_files_that_are_not_python_are_installed(pattern: str) -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    globs = [f"{package.replace('.', '/')}/{glob}" for package, found in data.items() for glob in found]
    installed = {path for glob in globs for path in ROOT.glob(glob)}
    assert installed.issuperset(needed := set(ROOT.glob(pattern)))
    assert needed


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["dev"], *EXTRAS["docs"]])
def test_every_dependency_is_bounded_and_what_is_installed_lies_within(text: str) -> None:
    wanted = Requirement(text)
    if wanted.name == "ganbench":
        return
    assert sorted(bound.operator for bound in wanted.specifier) == ["<", ">="]
    try:
        installed = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        assert text in EXTRAS["dev"] + EXTRAS["docs"]
    else:
        assert wanted.specifier.contains(installed, prereleases=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The source distribution of what git tracks, and the wheel that is made from it alone."""
    folder = tmp_path_factory.mktemp("dist")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        if name.startswith(("ganbench/", "plugins/")) or "/" not in name:
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / "tree" / name)
    source = folder / _build("build_sdist", folder / "tree", folder)
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / source.name.removesuffix(".tar.gz")
    return {"sdist": source, "wheel": folder / _build("build_wheel", unpacked, folder)}


def _build(hook: str, tree: Path, out: Path) -> str:
    """Call a hook of the build backend in a tree, as installers do; return the name of the file."""
    code = f"from setuptools.build_meta import {hook}; print({hook}({str(out)!r}))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()[-1]


def test_the_wheel_of_the_source_distribution_holds_every_file_of_the_packages(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    folders = {"ganbench": ROOT / "ganbench", "ganbench_plugins": ROOT / "plugins"}
    wanted = {
        f"{package}/{path.relative_to(folder)}"
        for package, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == wanted


def test_an_unpacked_wheel_runs(built: dict[str, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        archive.extractall(tmp_path)
    code = "import sys, ganbench.cli.main as main; sys.argv = ['ganbench', '--version']; main.main()"
    answer = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (0, f"ganbench, version {ganbench.__version__}\n"), answer.stderr
    assert f"Version: {ganbench.__version__}" in next(tmp_path.glob("*.dist-info/METADATA")).read_text()


def test_the_citation_names_this_version() -> None:
    assert f"\nversion: {ganbench.__version__}\n" in (ROOT / "CITATION.cff").read_text()
