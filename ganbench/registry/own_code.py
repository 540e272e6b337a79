"""Which modules are of one's own distribution, and where they lie: found without importing any of them.

The modules of a model's own distribution decide what the model does; those of others, such as torch, are known by the
versions that a record's provenance names. A loose file has no distribution: there the modules beside it count.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from ganbench.registry.entry_points import GROUP

_INSTALLED = {"site-packages", "dist-packages"}


class PluginFolder(str):
    """An entry of `sys.path` that was appended for the sake of a plugin that is a file (`import_path.load_file`)."""


@dataclass(frozen=True)
class OwnCode:
    """What counts as one's own: top-level modules by name, and whatever lies in `folder` and is not installed there.

    `beside` is the folder of a plugin that is a file: modules are looked for there after all other places.
    """

    packages: frozenset[str]
    folder: Path | None
    beside: Path | None = None

    def find(self, name: str) -> Path | None:
        """Return the file of a module that is one's own, else None."""
        top, *rest = name.split(".")
        if top == "ganbench" or top in sys.stdlib_module_names:
            return None
        spec = find_top_level(top, self.beside)
        if spec is None or not (top in self.packages or self._holds(_place(spec))):
            return None
        for part in rest:  # by its own name: of a dotted one the parent would have to be imported
            if spec.submodule_search_locations is None:
                return None
            spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
            if spec is None:
                return None
        path = Path(spec.origin) if spec.has_location and spec.origin else None
        return path if path is not None and path.is_file() else None

    def _holds(self, place: Path | None) -> bool:
        return self.folder is not None and place is not None and _within(place, self.folder)


@dataclass(frozen=True)
class CodeFolder:
    """What counts for code in a folder of its own, such as that of a bundle: the modules that lie there alone."""

    folder: Path

    def find(self, name: str) -> Path | None:
        """Return the file of a module in the folder, else None; packages need no ``__init__``."""
        top, *rest = name.split(".")
        if top == "ganbench" or top in sys.stdlib_module_names:
            return None
        spec = PathFinder.find_spec(top, [str(self.folder)])
        for part in rest:  # by its own name: of a dotted one the parent would have to be imported
            if spec is None or spec.submodule_search_locations is None:
                return None
            spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
        if spec is None or not spec.has_location or not spec.origin:
            return None
        path = Path(spec.origin)
        return path if path.is_file() and path.is_relative_to(self.folder) else None


def find_top_level(name: str, beside: Path | None = None) -> ModuleSpec | None:
    """Find a top-level module without importing it, whatever `sys.modules` holds under its name.

    Folders of other plugins that are files are not looked into; `beside` comes after all that `sys.path` names.
    """
    places = [place for place in sys.path if not isinstance(place, PluginFolder)]
    if beside is not None:
        places.append(str(beside))
    for finder in sys.meta_path:
        try:
            # An import hook that is no PathFinder looks where it likes, as that of an editable installation does.
            spec = finder.find_spec(name, places if finder is PathFinder else None)
        except (ImportError, AttributeError, ValueError):
            spec = None
        if spec is not None:
            return spec
    return None


def _place(spec: ModuleSpec) -> Path | None:
    """Return the folder of a package, or the file of a module."""
    if spec.submodule_search_locations is not None:
        return next((Path(place) for place in spec.submodule_search_locations), None)
    return Path(spec.origin) if spec.has_location and spec.origin else None


def _within(place: Path, folder: Path) -> bool:
    return place.is_relative_to(folder) and not _INSTALLED & set(place.relative_to(folder).parts)


def own_code_of_module(name: str) -> OwnCode:
    """Return what is of the same distribution as a module; where none is known, what lies in the same folder."""
    top = name.partition(".")[0]
    spec = find_top_level(top)
    return _own_code(top, None if spec is None else _place(spec), tuple(sys.path))


def own_code_of_file(path: Path) -> OwnCode:
    """Return what counts for a plugin that is a file: the modules beside it."""
    return OwnCode(frozenset(), path.parent, path.parent)


@lru_cache(maxsize=256)
def _own_code(top: str, place: Path | None, _path: tuple[str, ...]) -> OwnCode:
    if (distribution := _distribution(top, place)) is not None:
        packages = _packages(distribution) | _entered(distribution)
        return OwnCode(packages | {top}, _project(distribution))
    loose = place is not None and not _INSTALLED & set(place.parts)
    return OwnCode(frozenset({top}), place.parent if loose and place is not None else None)


def _distribution(top: str, place: Path | None) -> Distribution | None:
    """Return the distribution that brings a top-level module: by entry point, by its list of files, by its project."""
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.dist is not None and point.module.partition(".")[0] == top:
            return point.dist
    if place is None:
        return None
    for distribution in importlib.metadata.distributions(path=[str(place.parent)]):
        if top in _packages(distribution):
            return distribution
    for distribution in importlib.metadata.distributions():
        if (project := _project(distribution)) is not None and _within(place, project):
            return distribution
    return None


def _packages(distribution: Distribution) -> frozenset[str]:
    """Return the top-level modules that a distribution lists."""
    if listed := distribution.read_text("top_level.txt"):
        return frozenset(listed.split())
    found = {line.split(",")[0].split("/")[0] for line in (distribution.read_text("RECORD") or "").splitlines()}
    modules = {name.partition(".")[0] for name in found if Path(name).suffix in ("", ".py", ".so", ".pyd")}
    return frozenset(name for name in modules if name.isidentifier() and name != "__pycache__")


def _entered(distribution: Distribution) -> frozenset[str]:
    points = distribution.entry_points.select(group=GROUP)
    return frozenset(point.module.partition(".")[0] for point in points)


def _project(distribution: Distribution) -> Path | None:
    """Return the folder that an editable installation points to."""
    try:
        told = json.loads(distribution.read_text("direct_url.json") or "{}")
        if told.get("dir_info", {}).get("editable"):
            return Path(url2pathname(urlparse(told["url"]).path))
    except (ValueError, KeyError, TypeError, AttributeError):  # somebody else's file: damaged
        pass
    return None
