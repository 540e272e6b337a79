"""The package that the README shows whole, installed and run as its reader would."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ganbench.store.run_record import read_run

from ..conftest import SMOKE, call

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def package() -> dict[str, str]:
    """The files that the README shows, by name: each block begins with a comment that says its name."""
    section = re.search(r"^#+ [^\n]*your own model.*?(?=^#+ |\Z)", blanked(README.read_text()), re.I | re.M | re.S)
    assert section, "the README has no heading about your own model"
    text = README.read_text()[section.start() : section.end()]
    blocks = re.findall(r"^```(?:toml|python)\n# (pyproject\.toml|tiny_gan\.py)\n(.*?)^```", text, re.M | re.S)
    assert [name for name, _ in blocks] == ["pyproject.toml", "tiny_gan.py"]
    return dict(blocks)


def blanked(markdown: str) -> str:
    """Blank out what stands in fences, so that a comment in a block does not pass for a heading."""
    return re.sub(r"^```.*?^```", lambda block: re.sub(r"[^\n]", " ", block[0]), markdown, flags=re.M | re.S)


def test_it_is_under_forty_lines(package: dict[str, str]) -> None:
    assert sum(len(text.rstrip().splitlines()) + 1 for text in package.values()) < 40  # the names' lines count


def test_it_is_installed_and_run_by_name(
    package: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for beside in ("runs", "boards", "leaderboards"):  # what a first use leaves, and setuptools would package
        (source / beside).mkdir()
    for name, text in package.items():
        (source / name).write_text(text)
    pip = [
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "--quiet",
        "--target",
        target,
        source,
    ]
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "install", *pip], capture_output=True, text=True, timeout=120
    )
    assert installed.returncode == 0, installed.stderr
    project = tomllib.loads(package["pyproject.toml"])["project"]
    (name,) = project["entry-points"]["ganbench"]
    words = ["--plugins", name, *SMOKE, "--no-baselines", "--quiet"]
    monkeypatch.syspath_prepend(str(target))
    monkeypatch.chdir(tmp_path)
    try:
        assert call("run", *words) == (0, "", "")
    finally:
        sys.modules.pop("tiny_gan", None)
    (path,) = (tmp_path / "runs").glob("*/run.json")
    record = read_run(path)
    assert (record.spec.model_info.name, record.status, record.steps) == (name, "ok", 5)
    assert record.spec.model_info.distribution == f"{project['name']} {project['version']}"
