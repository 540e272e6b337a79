"""What tests of the registry share: clean-up after files that were loaded, and distributions of several modules."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.registry.own_code import PluginFolder
from ganbench.registry.registry import Registry
from ganbench.registry.source_hash import FILE_PREFIX


@pytest.fixture
def fresh() -> Iterator[Registry]:
    """An empty registry; what was loaded from files, and their neighbours, is forgotten afterwards."""
    before = set(sys.modules)
    yield Registry()
    folders = tuple(place for place in sys.path if isinstance(place, PluginFolder))
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if name.startswith(FILE_PREFIX) or (folders and file.startswith(folders)):
            del sys.modules[name]
    sys.path[:] = [place for place in sys.path if not isinstance(place, PluginFolder)]


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that installs a distribution of several files into a folder on the path, and returns it."""
    before = set(sys.modules)
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def make(name: str, files: dict[str, str], entry_points: dict[str, str], *, project: Path | None = None) -> Path:
        """Write the files to the folder on the path, or to a `project` that is installed there as editable."""
        home = project or site
        for file, source in files.items():
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            (home / file).write_text(source)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        points = "".join(f"{point} = {value}\n" for point, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[ganbench]\n{points}")
        if project is not None:
            monkeypatch.syspath_prepend(str(project))
            (info / "direct_url.json").write_text(f'{{"dir_info": {{"editable": true}}, "url": "{project.as_uri()}"}}')
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in ([] if project else files)))
        importlib.invalidate_caches()
        return home

    yield make
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "") or ""):
            del sys.modules[name]
