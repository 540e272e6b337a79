"""Where classes lie: files named in a request, the modules beside them, and paths that a stranger wrote."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.entry_points import Origin
from ganbench.registry.import_path import import_path, load_file, resolve, resolve_known
from ganbench.registry.registry import Registry

from .sources import GOOD

Maker = Callable[..., str]


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


def test_a_file_named_outright_runs_beside_an_allow_list(
    tmp_path: Path, fresh: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name="mine"))
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    assert load_file(f"{path}:Good", fresh).name == "mine"


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


HELPED = """
import ganbench
from helpers import NAME

class Helped(ganbench.Model):
    name = NAME

    @staticmethod
    def later():
        import late_helper
        return late_helper.VALUE
"""


def helped(folder: Path, name: str) -> str:
    folder.mkdir()
    (folder / "mine.py").write_text(HELPED)
    (folder / "helpers.py").write_text(f"NAME = {name!r}\n")
    (folder / "late_helper.py").write_text(f"VALUE = {name!r}\n")
    return f"{folder / 'mine.py'}:Helped"


def test_a_file_imports_its_neighbours_then_and_later(tmp_path: Path, fresh: Registry) -> None:
    place = helped(tmp_path / "one", "one")
    entry = load_file(place, fresh)
    assert (entry.name, entry.thing.later()) == ("one", "one")
    assert import_path(entry.thing, entry.origin) == place
    assert resolve(place) is resolve_known(place) is entry.thing


def test_files_in_two_folders_have_neighbours_of_their_own(tmp_path: Path, fresh: Registry) -> None:
    first, second = (helped(tmp_path / name, name) for name in ("one", "two"))
    assert [load_file(place, fresh).name for place in (first, second)] == ["one", "two"]


def test_a_worker_finds_the_neighbours_of_a_file(tmp_path: Path) -> None:
    place = helped(tmp_path / "one", "one")
    code = f"from ganbench.registry.import_path import resolve; m = resolve({place!r}); print(m.name, m.later())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", timeout=120)
    assert (done.stdout, done.stderr) == ("one one\n", "")


def test_neighbours_do_not_shadow_what_is_installed(tmp_path: Path, fresh: Registry) -> None:
    place = helped(tmp_path / "one", "one")
    for name in ("wsgiref", "ganbench_plugins", "pytest"):
        (tmp_path / "one" / f"{name}.py").write_text("raise SystemExit('the installed one comes first')")
    path = tmp_path / "one" / "mine.py"
    path.write_text("import wsgiref, ganbench_plugins, pytest\n" + HELPED)
    assert load_file(place, fresh).name == "one"
    assert Path(sys.path[-1]) == tmp_path / "one"


def test_a_neighbour_that_is_broken_is_one_line(tmp_path: Path, fresh: Registry) -> None:
    place = helped(tmp_path / "one", "one")
    (tmp_path / "one" / "helpers.py").write_text("1 / 0")
    with pytest.raises(RequestError, match=r"^plugin .*mine\.py: ZeroDivisionError"):
        load_file(place, fresh)


@pytest.mark.parametrize("name", ["real", "noise", "replay", "vae"])
def test_a_file_cannot_take_a_name_that_is_taken(tmp_path: Path, fresh: Registry, name: str) -> None:
    vae = resolve_known("ganbench_plugins.vae:VAE")
    fresh.take("models", vae, Origin("ganbench", "0", "vae"))
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name=name))
    with pytest.raises(RequestError, match=f"mine.py:Good.*{name!r} is (reserved|taken twice)"):
        load_file(f"{path}:Good", fresh)
    assert fresh.get("models", "vae").thing is vae
