"""Discovery: every entry point by itself, names, files, and the hash of a model's sources."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.builtins import discover
from ganbench.registry.catalog import catalog
from ganbench.registry.import_path import load_file, resolve_known, source_hash
from ganbench.registry.registry import Broken, Registry

from .conftest import call

Maker = Callable[..., str]

GOOD = """
import ganbench

class Good(ganbench.Model):
    name = "{name}"

@ganbench.hookimpl
def ganbench_register_models(register):
    register(Good)
"""
SHIPPED = {"dcgan", "vanilla", "vae", "real", "noise", "replay"}


def names(registry: Registry) -> set[str]:
    return {entry.name for entry in registry.all("models")}


def test_a_strangers_model_stands_beside_the_shipped_ones(distribution: Maker) -> None:
    distribution("good-gan", GOOD.format(name="stranger"))
    registry = discover()
    entry = registry.get("models", "stranger")
    assert (entry.origin.distribution, entry.origin.version) == ("good-gan", "1.2")
    assert entry.thing.__name__ == "Good"
    assert names(registry) >= SHIPPED | {"stranger"}
    assert not registry.broken


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import there_is_no_such_module", "there_is_no_such_module"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise ValueError('first line\\nsecond line')", "ValueError: first line second line"),
        ("def broken(:", "SyntaxError"),
        (
            GOOD.format(name="a").replace("register_models", "register_model"),
            "did you mean 'ganbench_register_models'?",
        ),
        (GOOD.format(name="a").replace("@ganbench.hookimpl", ""), "above it"),
        (GOOD.format(name="a b"), "'a b'"),
        (GOOD.format(name="=a|b"), "'=a|b'"),
        (GOOD.format(name="a").replace("register(Good)", "register(dict)"), "not a subclass of ganbench.Model"),
        (GOOD.format(name="a").replace("name = ", "title = "), "has no name"),
        (GOOD.format(name="a").replace("register(Good)", "1 / 0"), "ZeroDivisionError"),
    ],
    ids=["import", "exit", "raise", "syntax", "misspelt", "unmarked", "blank", "signs", "class", "nameless", "hook"],
)
def test_a_broken_plugin_is_reported_and_left_out(distribution: Maker, source: str, said: str) -> None:
    distribution("bad-gan", source, "0.9")
    distribution("good-gan", GOOD.format(name="stranger"))
    reported: list[Broken] = []
    registry = discover(reported.append)
    assert names(registry) >= SHIPPED | {"stranger"}
    assert [each.origin.distribution for each in reported] == ["bad-gan"]
    assert registry.broken == reported
    assert said in reported[0].error
    assert "\n" not in reported[0].error
    with pytest.raises(RequestError) as refusal:
        registry.get("models", "bad-gan")
    assert "bad-gan 0.9" in str(refusal.value)
    assert said in str(refusal.value)


def test_a_broken_plugin_leaves_nothing_behind(distribution: Maker) -> None:
    half = GOOD.format(name="half") + "    register(object)\n"
    distribution("bad-gan", half)
    registry = discover()
    assert [each.origin.distribution for each in registry.broken] == ["bad-gan"]
    assert not registry.has("models", "half")


@pytest.mark.parametrize(("name", "first"), [("twin", "one-gan 1.2"), ("dcgan", "ganbench ")])
def test_a_name_taken_twice_is_an_error_that_names_both(distribution: Maker, name: str, first: str) -> None:
    if name == "twin":
        distribution("one-gan", GOOD.format(name=name))
    distribution("two-gan", GOOD.format(name=name), "2.0")
    registry = discover()
    with pytest.raises(RequestError, match=f"{name!r} is taken twice") as refusal:
        registry.get("models", name)
    assert first in str(refusal.value)
    assert "two-gan 2.0" in str(refusal.value)
    assert registry.get("models", "vae").thing.name == "vae"


def test_an_unknown_name_is_answered_with_the_nearest(registry: Registry) -> None:
    with pytest.raises(RequestError, match=r"unknown model 'dgcan' \(did you mean 'dcgan'\?\)"):
        registry.get("models", "dgcan")
    with pytest.raises(RequestError, match=r"unknown data set 'xyz' \(there is: cifar10, digits, .*mnist5k, .*ring8\)"):
        registry.get("datasets", "xyz")


@pytest.mark.parametrize(
    ("allowed", "left_out"),
    [
        (None, []), ("", ["one-gan 1.2", "two.gan 2.0"]), (" , ", ["one-gan 1.2", "two.gan 2.0"]),
        ("one-gan", ["two.gan 2.0"]), ("One_GAN", ["two.gan 2.0"]), ("one-gan, two-gan", []),
        ("second", ["one-gan 1.2"]), ("ganbench,dcgan", ["one-gan 1.2", "two.gan 2.0"]),
    ],
)  # fmt: skip
def test_an_allow_list_restricts_strangers(
    distribution: Maker, monkeypatch: pytest.MonkeyPatch, allowed: str | None, left_out: list[str]
) -> None:
    modules = {"one-gan 1.2": distribution("one-gan", GOOD.format(name="first"))}
    modules["two.gan 2.0"] = distribution("two.gan", GOOD.format(name="second"), "2.0", "second")
    if allowed is None:
        monkeypatch.delenv("GANBENCH_PLUGINS", raising=False)
    else:
        monkeypatch.setenv("GANBENCH_PLUGINS", allowed)
    registry = discover()
    assert not registry.broken
    assert names(registry) >= SHIPPED
    assert [f"{origin.distribution} {origin.version}" for origin in registry.left_out] == left_out
    for plugin, name in (("one-gan 1.2", "first"), ("two.gan 2.0", "second")):
        assert registry.has("models", name) is (plugin not in left_out)
        assert (modules[plugin] in sys.modules) is (plugin not in left_out), "a plugin that is left out was imported"
    with pytest.raises(RequestError) as refusal:
        registry.get("models", "fist")
    hint = f"(left out by GANBENCH_PLUGINS: {', '.join(left_out)})"
    assert str(refusal.value).endswith(hint) is bool(left_out)


def test_a_strangers_entry_point_called_ganbench_is_not_ganbenchs_own(
    distribution: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = distribution("one-gan", GOOD.format(name="first"), "1.2", "ganbench")
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    assert not discover().has("models", "first")
    assert module not in sys.modules


def test_a_name_in_the_allow_list_that_no_plugin_has_is_one_line(
    distribution: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution("one-gan", GOOD.format(name="first"))
    monkeypatch.setenv("GANBENCH_PLUGINS", "one-gan,oen-gan")
    said = "ganbench: GANBENCH_PLUGINS: no installed plugin is called 'oen-gan' (did you mean 'one-gan'?)\n"
    for words in (["run", "--plugins", "vae"], ["plugins"], ["evaluate", "samples"]):
        assert call(*words) == (2, "", said)


def test_a_file_named_outright_runs_beside_an_allow_list(
    tmp_path: Path, fresh: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name="mine"))
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    assert load_file(f"{path}:Good", fresh).name == "mine"


def test_lists_obey_the_allow_list(distribution: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "imported"
    distribution("one-gan", f"open({str(marker)!r}, 'a').close()\n" + GOOD.format(name="first"))
    monkeypatch.delenv("GANBENCH_PLUGINS", raising=False)
    assert "first" in {model["name"] for model in catalog()["models"]}
    marker.unlink()
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    listed = {model["name"] for model in catalog()["models"]}
    assert listed >= SHIPPED
    assert "first" not in listed
    assert "first" not in {model["name"] for model in catalog()["models"]}
    assert not marker.exists()


def test_lists_do_not_take_the_working_folder_for_a_place_of_plugins(
    distribution: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution("one-gan", GOOD.format(name="first"))
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pluggy.py").write_text("raise SystemExit('the one in the working folder')")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    listed = {model["name"] for model in catalog()["models"]}
    assert listed >= SHIPPED
    assert "first" not in listed


def test_a_folders_word_for_a_model_is_checked(
    distribution: Maker, tmp_path: Path, fresh: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve_known("ganbench_plugins.vae:VAE").name == "vae"
    module = distribution("one-gan", GOOD.format(name="first"))
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name="mine"))
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    before = set(sys.modules)
    for place in (f"{module}:Good", f"{path}:Good", "mine.py:Good", "antigravity:Good", "os:system", "", "nowhere"):
        with pytest.raises(RequestError):
            resolve_known(place)
    assert set(sys.modules) == before
    monkeypatch.delenv("GANBENCH_PLUGINS")
    assert resolve_known(f"{module}:Good").name == "first"
    load_file(f"{path}:Good", fresh)
    assert resolve_known(f"{path}:Good").name == "mine"


@pytest.fixture
def fresh() -> Iterator[Registry]:
    before = set(sys.modules)
    yield Registry()
    for name in set(sys.modules) - before:
        if name.startswith("ganbench_file_"):
            del sys.modules[name]


def test_a_class_in_a_file_needs_no_package(tmp_path: Path, fresh: Registry) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name="mine"))
    entry = load_file(f"{path}:Good", fresh)
    assert entry.name == "mine"
    assert entry.origin.distribution == str(path)
    assert fresh.get("models", "mine") is entry


def test_a_file_can_be_named_twice(tmp_path: Path, fresh: Registry) -> None:
    # as in --plugins "./mine.py:Good,./mine.py:Good[lr=1e-3]"
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name="mine"))
    assert load_file(f"{path}:Good", fresh).thing is load_file(f"{path}:Good", fresh).thing


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "there is no file"), ("", "defines no 'Good'"), ("def broken(:", "SyntaxError"),
        ("raise ValueError('one\\ntwo')", "ValueError: one two"), ("raise SystemExit(3)", "SystemExit"),
        ("Good = 3", "not a subclass"), (GOOD.format(name="a/b"), "'a/b'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, fresh: Registry, source: str | None, said: str) -> None:
    path = tmp_path / "mine.py"
    if source is not None:
        path.write_text(source)
    with pytest.raises(RequestError) as refusal:
        load_file(f"{path}:Good", fresh)
    assert "mine.py" in str(refusal.value)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


MODEL = """
import ganbench
from . import near
from .losses import hinge

class M(ganbench.Model):
    name = "m"

    def step(self, batch):
        from .lazy import later
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "hashed_package"
    folder.mkdir()
    for name in ("__init__", "near", "losses", "deep", "lazy", "apart"):
        (folder / f"{name}.py").write_text("hinge = 1\n")
    (folder / "losses.py").write_text("from hashed_package.deep import hinge\n")
    (folder / "model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "hashed_package"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("file", "counts"),
    [("model", True), ("near", True), ("losses", True), ("deep", True), ("lazy", True), ("apart", False)],
)
def test_the_source_hash_covers_what_the_model_imports_of_its_package(package: Path, file: str, counts: bool) -> None:
    model = importlib.import_module("hashed_package.model").M
    importlib.import_module("hashed_package.apart")
    before = source_hash(model)
    with open(package / f"{file}.py", "a") as source:
        source.write("# another line\n")
    assert (source_hash(model) != before) is counts


def test_the_source_hash_does_not_depend_on_what_else_was_imported(package: Path) -> None:
    model = importlib.import_module("hashed_package.model").M
    before = source_hash(model)
    importlib.import_module("hashed_package.lazy")
    assert source_hash(model) == before


def test_compiled_modules_are_hashed_too(package: Path) -> None:
    model = importlib.import_module("hashed_package.model").M
    compiled = package / "lazy.so"  # found before lazy.py, which nobody has imported yet
    compiled.write_bytes(b"\x7fELF\0\0")
    importlib.invalidate_caches()
    before = source_hash(model)
    compiled.write_bytes(b"\x7fELF\0\1")
    assert source_hash(model) != before
