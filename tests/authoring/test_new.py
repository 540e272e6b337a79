"""``ganbench new``: what it writes keeps every rule and installs, and names that would not work are refused."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ganbench import testing
from ganbench.authoring.names import Names
from ganbench.authoring.package import DESCRIPTIONS, MODEL_KINDS, files, write_package
from ganbench.cli import new as command_line
from ganbench.registry.builtins import discover

from ..conftest import Answer

Command = Callable[..., Answer]
Load = Callable[[Names, str], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return a function that writes a package and imports its main module."""
    before = set(sys.modules)

    def made(names: Names, kind: str) -> ModuleType:
        write_package(tmp_path / names.distribution, files(names, kind))
        monkeypatch.syspath_prepend(str(tmp_path / names.distribution / "src"))
        return importlib.import_module(f"{names.package}.{names.what}")

    yield made
    for name in set(sys.modules) - before:
        if name.partition(".")[0].startswith(("my_own", "MyOwn")):
            del sys.modules[name]


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_every_model_keeps_the_rules(load: Load, kind: str) -> None:
    module = load(Names("model", f"my-own.{kind}"), kind)
    model = getattr(module, f"MyOwn{kind.capitalize()}")
    assert model.name == f"my-own.{kind}"
    assert model.conditional == (kind == "conditional")
    testing.check_model(model, shape=(1, 4, 8), classes=3)


@pytest.mark.parametrize("what", DESCRIPTIONS)
def test_so_does_everything_else(load: Load, what: str) -> None:
    names = Names(what, f"my-own-{what}")
    module = load(names, "gan")
    thing = module.TRACK if what == "track" else getattr(module, names.constant)
    getattr(testing, f"check_{what}")(thing)


@pytest.mark.parametrize("what", ["model", *DESCRIPTIONS])
def test_its_files_are_whole(what: str) -> None:
    content = files(Names(what, "my-own"), "vae")
    project = tomllib.loads(content["pyproject.toml"])
    assert project["project"]["entry-points"]["ganbench"] == {"my-own": f"my_own.{what}"}
    assert f"src/my_own/{what}.py" in content
    for path, text in content.items():
        assert "{%" not in text and "{#" not in text, path
        assert text.endswith("\n") and not text.endswith("\n\n"), path
        if path.endswith(".py"):
            compile(text, path, "exec")
    assert f"{what.upper()}_CHECKS" in content[f"tests/test_{what}.py"]
    assert "${{ matrix.python }}" in content[".github/workflows/test.yml"]
    assert {"/runs/", "/boards/"} <= set(content[".gitignore"].splitlines())
    assert "LICENSE" in content["README.md"]


def test_it_installs_after_its_first_use(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, target = tmp_path / "my-own-track", tmp_path / "installed"
    answer = command("new", "track", "my-own-track", "--out", folder)
    assert (answer.status, answer.err) == (0, "")
    assert "ganbench run --plugins dcgan,vae --track my-own-track" in answer.out
    for used in ("runs", "boards", "leaderboards"):
        (folder / used).mkdir()
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run([*pip, "--target", str(target), str(folder)], check=True, capture_output=True)
    assert (target / "my_own_track" / "my-own-track.toml").exists()
    assert not (target / "runs").exists()
    monkeypatch.syspath_prepend(str(target))
    assert discover().get("tracks", "my-own-track").origin.distribution == "my-own-track"
    sys.modules.pop("my_own_track.track")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model", "-x-"), "No such option"),
        (("model", "x-"), "use letters, digits"),
        (("model", "très-bien"), "use letters, digits"),
        (("model", "3gan"), "Python cannot import '3gan'"),
        (("model", "class"), "is a word of Python's"),
        (("model", "json"), "there is a module 'json' already"),
        (("model", "torch"), "there is a module 'torch' already"),
        (("model", "scikit-learn"), "a package of that name is installed"),
        (("model", "DCGAN"), "model name 'dcgan' is taken by ganbench"),
        (("model", "Real"), "model name 'Real' is reserved"),
        (("metric", "standard"), "metric name 'standard' is reserved"),
        (("metric", "ink_sd"), "does not end in"),
        (("track", "digits_smoke"), "track name 'digits-smoke' is taken"),
        (("metric", "ink", "--kind", "gan"), "--kind gan: is for models, not for a metric"),
        (("models", "mine"), "'models' is not one of"),
    ],
)
def test_a_wrong_request_is_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command("new", *words)
    assert answer.status == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_never_overwritten(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("kept")
    answer = command("new", "model", "my-own", "--out", tmp_path / "mine")
    assert answer.status == 2
    assert "is there already: name another folder with --out" in answer.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    answer = command("new", "model", "my-own", "--out", tmp_path / "mine" / "notes.txt" / "here")
    assert answer.status == 2
    assert "cannot be written" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_command_line_knows_all_that_can_be_made() -> None:
    assert set(command_line.WHAT) == {"model", *DESCRIPTIONS}
    assert tuple(MODEL_KINDS) == command_line.KINDS
