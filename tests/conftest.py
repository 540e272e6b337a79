"""What many tests share: a cache of their own, one small run, the command line, and made-up distributions."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ganbench.cli.main import main
from ganbench.data.dataset import Dataset
from ganbench.data.embedded import load_digits, load_mnist5k
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registry
from ganbench.store.store import Store, StoredRun

from .once import MakeOnce, made_once
from .zygote import Zygote, use

SMOKE = ("--track", "digits-smoke", "--seeds", "1", "--budget", "5steps")


class Answer(NamedTuple):
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep everything that ganbench caches out of the user's folder."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def zygote(shared: Path) -> Iterator[Zygote]:
    """Let the commands that are tested have their fork servers from one process."""
    with Zygote(shared) as zygote:
        use(zygote)
        yield zygote


def call(*words: object) -> Answer:
    """Run ``ganbench WORDS`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["ganbench", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    return Answer(int(end.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def command() -> Callable[..., Answer]:
    return call


@pytest.fixture(scope="session")
def registry() -> Registry:
    """What is installed; tests that register something more make their own."""
    return discover()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_digits()


@pytest.fixture(scope="session")
def mnist5k() -> Dataset:
    return load_mnist5k()


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return a folder for all processes of pytest-xdist."""
    mine = factory.getbasetemp()
    return mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory)


@pytest.fixture(scope="session")
def make_once(shared: Path) -> MakeOnce:
    return functools.partial(made_once, shared)


class Smoke(NamedTuple):
    """A small run: its command, its folders, and what it answered."""

    words: tuple[object, ...]
    runs: Path
    boards: Path
    answer: Answer


@pytest.fixture(scope="session")
def smoke(make_once: MakeOnce) -> Smoke:
    """Two models and the baselines after five steps; tests only look at it."""

    def make(folder: Path) -> Smoke:
        words = ("run", "--plugins", "dcgan,vae", *SMOKE, "--jobs", 2, *at(folder))
        return Smoke(words, folder / "runs", folder / "boards", call(*words))

    return make_once("smoke", make)


def stored(runs: Path) -> dict[str, StoredRun]:
    """Return the finished runs of a store, with their scores, by label."""
    return {each.record.spec.model_info.label: each for each in Store(runs).records() if each.record}


def at(folder: Path) -> tuple[object, ...]:
    """Return the options that keep a command within a folder."""
    return ("--runs", folder / "runs", "--boards", folder / "boards", "--published", folder / "leaderboards")


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Return a function that puts a distribution with one module and one entry point on the path."""
    made: list[str] = []
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, source: str, version: str = "1.2", entry_point: str = "") -> str:
        plain = re.sub("[-.]", "_", name)
        module = f"{plain}_{abs(hash(tmp_path)) % 10**8}"
        info = tmp_path / f"{plain}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[ganbench]\n{entry_point or name} = {module}\n")
        (tmp_path / f"{module}.py").write_text(source)
        made.append(module)
        return module

    yield make
    for module in made:
        sys.modules.pop(module, None)
