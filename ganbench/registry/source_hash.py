"""The hash of the code that decides what a model does: part of every run's key.

It covers the module of the class, every module of its own distribution that this imports, directly or not, at the top
of a file or within a function, and the files that the class declares as `assets`. Docstrings, comments and layout do
not count, nor do the ``__init__`` files of packages that are only passed on the way to a module.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import RequestError
from ganbench.registry.code_tree import Code, read_code
from ganbench.registry.own_code import CodeFolder, OwnCode, own_code_of_file, own_code_of_module

if TYPE_CHECKING:
    from ganbench.model import Model

FILE_PREFIX = "ganbench_file_"
"""How the names of modules begin that were loaded from a file named in a request."""


@dataclass(frozen=True)
class SourceModule:
    """A module by name and file; one that a request names as a file has no name."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """What its relative imports start from."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Source:
    """The files that a source hash covers: modules, that of the class first, and assets."""

    modules: list[SourceModule]
    assets: list[Path]

    @property
    def files(self) -> list[Path]:
        return [module.path for module in self.modules] + self.assets

    @property
    def sha256(self) -> str:
        """The source hash."""
        return _digest(self.modules, self.assets)


def source_hash(model: type[Model]) -> str:
    """Return the SHA-256 of what decides what a model does; raise `RequestError` where a declared asset is missing."""
    return source_of(model).sha256


def source_files(model: type[Model]) -> list[Path]:
    """Return the files that `source_hash` depends on, the assets last."""
    return source_of(model).files


def source_of(model: type[Model]) -> Source:
    """Return the files that `source_hash` covers; raise `RequestError` where a declared asset is missing."""
    home, modules = _modules_of_class(model)
    return Source(modules, _assets_of_class(model, home, modules))


def source_in(folder: Path, home: SourceModule, assets: list[Path]) -> Source:
    """Return the source of a class of module `home`, whose code lies alone in a folder; nothing is imported.

    `assets` are given, since only the class can tell them: whoever names others gets another hash.
    """
    return Source(_reached(home, CodeFolder(folder)), assets)


def source_hash_of(import_path: str) -> str:
    """Return what `source_hash` says of the class at ``module:Class`` or ``/path/file.py:Class``.

    Nothing is imported, except where only the class itself can tell which assets it declares; that is then subject to
    `resolve_known`. Raises `RequestError` where the module or an asset is missing.
    """
    place, _, class_name = import_path.rpartition(":")
    home, own = _locate(place)
    modules = _reached(home, own)
    codes = [read_code(module.path) for module in modules]
    declared = _declared(codes[0], class_name, any(code.assigns_assets for code in codes))
    if declared is None:
        from ganbench.registry.import_path import resolve_known

        try:
            return source_hash(resolve_known(import_path))
        except (ImportError, AttributeError, OSError) as error:
            raise RequestError(f"{import_path}: cannot be imported ({error})") from error
    return _digest(modules, _asset_files(declared, home.path.parent, class_name))


def _locate(place: str) -> tuple[SourceModule, OwnCode]:
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_absolute() or not path.is_file():
            raise RequestError(f"{place}: there is no such file")
        return SourceModule("", path), own_code_of_file(path)
    if not place or not all(part.isidentifier() for part in place.split(".")):
        raise RequestError(f"{place!r} is not a module")
    own = own_code_of_module(place)
    found = own.find(place)
    if found is None:
        raise RequestError(f"{place}: is not installed here")
    return SourceModule(place, found), own


def _modules_of_class(model: type[Model]) -> tuple[SourceModule, list[SourceModule]]:
    file = getattr(sys.modules.get(model.__module__), "__file__", None)
    if file is None or not Path(file).is_file():
        raise RequestError(f"class {model.__qualname__}: its source file is not there: put it into a file of its own")
    of_file = model.__module__.startswith(FILE_PREFIX)
    home = SourceModule("" if of_file else model.__module__, Path(file))
    return home, _reached(home, own_code_of_file(home.path) if of_file else own_code_of_module(home.name))


def _reached(home: SourceModule, own: OwnCode | CodeFolder) -> list[SourceModule]:
    """Return a module and all of its own distribution that it imports, directly or not, in order of names."""
    seen, waiting = {home.name: home}, [home]
    known: dict[str, Path | None] = {}
    while waiting:
        for name in _imported(waiting.pop()):
            if name in seen:
                continue
            if name not in known:
                known[name] = own.find(name)
            if (path := known[name]) is not None and path != home.path:
                seen[name] = SourceModule(name, path)
                waiting.append(seen[name])
    return [home, *(seen[name] for name in sorted(seen) if name != home.name)]


def _imported(module: SourceModule) -> Iterator[str]:
    """Yield every name that may be a module which this one imports."""
    for each in read_code(module.path).imports:
        base = each.base
        if each.level:
            try:
                base = importlib.util.resolve_name("." * each.level + base, module.package)
            except ImportError:  # beyond the top, or of a file that is in no package
                continue
        yield base
        yield from (f"{base}.{name}" for name in each.names if name != "*")


def _digest(modules: list[SourceModule], assets: list[Path]) -> str:
    digest = hashlib.sha256()
    for module in modules:
        digest.update(read_code(module.path).sha256)
    for path in assets:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _assets_of_class(model: type[Model], home: SourceModule, modules: list[SourceModule]) -> list[Path]:
    """Return the files of the assets that a class has; those that another distribution's class declares are its own."""
    for declaring in model.__mro__:
        if "assets" in vars(declaring):
            file = getattr(sys.modules.get(declaring.__module__), "__file__", None)
            if file is None or Path(file) not in {module.path for module in modules}:
                return []
            return _asset_files(tuple(model.assets), Path(file).parent, model.__qualname__)
    return []


def _asset_files(assets: tuple[str, ...], folder: Path, class_name: str) -> list[Path]:
    for asset in assets:
        if Path(asset).is_absolute():
            raise RequestError(f"class {class_name}: asset {asset!r}: write a path relative to the module's folder")
        if not (folder / asset).is_file():
            raise RequestError(f"class {class_name}: asset {asset!r} is missing: there is no file {folder / asset}")
    return [folder / asset for asset in assets]


def _declared(code: Code, class_name: str, anywhere: bool) -> tuple[str, ...] | None:
    """Return the assets that a class statement declares; None where that cannot be told without importing.

    `anywhere` says whether any file of the distribution that counts assigns something of that name.
    """
    if not anywhere:
        return ()
    found = code.classes.get(class_name)
    if found is None or not found.literal:
        return None
    if found.assets is not None:
        return found.assets
    if len(found.bases) == 1 and found.bases[0] in ("ganbench.Model", "Model"):
        return ()
    if len(found.bases) == 1 and found.bases[0] in code.classes:
        return _declared(code, found.bases[0], anywhere)
    return None
