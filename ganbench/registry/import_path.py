"""Where a model's class lies, ``module:Class`` or ``/path/file.py:Class``: found, loaded, trusted, hashed."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ganbench.errors import RequestError
from ganbench.registry.registry import Origin, Registered, Registry, entry_points
from ganbench.util.atomic_io import write_text
from ganbench.util.cache import cache_folder
from ganbench.util.text import error_line

if TYPE_CHECKING:
    from ganbench.model import Model


def load_file(spec: str, registry: Registry) -> Registered:
    """Load ``path/to/file.py:Class`` and register the class; errors name the file."""
    path_text, _, class_name = spec.rpartition(":")
    path = Path(path_text)
    with contextlib.suppress(OSError, ValueError):  # a name too long, or with a NUL
        path = path.resolve()
    if not path.is_absolute() or not path.is_file():
        raise RequestError(f"plugin {spec!r}: there is no file {str(path)!r}")
    model = getattr(_module_from(path), class_name, None)
    if model is None:
        raise RequestError(f"plugin {spec!r}: {path.name} defines no {class_name!r}")
    origin = Origin(str(path), "", class_name)
    try:
        registry.take("models", model, origin)
    except RequestError as error:
        raise RequestError(f"plugin {spec!r}: {error}") from error
    if not _named(path).exists():
        write_text(_named(path), f"{path}\n")
    return registry.get("models", model.name)


def _module_from(path: Path) -> ModuleType:
    """Import a file once; another content is another module."""
    name = f"ganbench_file_{path.stem}_{hashlib.sha256(str(path).encode() + path.read_bytes()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a file may even call sys.exit
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise RequestError(f"plugin {path}: {error_line(error)}") from error
    return module


def address(model: type[Model], origin: Origin) -> str:
    """Return where a worker process finds the class: ``module:Class`` or ``/path/file.py:Class``."""
    if model.__module__.startswith("ganbench_file_"):
        return f"{origin.distribution}:{model.__qualname__}"
    return f"{model.__module__}:{model.__qualname__}"


def resolve(place: str) -> type[Model]:
    """Return the class at an `address` that a planned trial gives."""
    home, _, qualified = place.rpartition(":")
    found: Any = _module_from(Path(home)) if home.endswith(".py") else importlib.import_module(home)
    for part in qualified.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def resolve_known(place: str) -> type[Model]:
    """Return the class at an `address` that a run's folder gives: the folder may be a stranger's.

    It must lie in a package of a plugin that may run, in a module that is imported already, or in a file that was
    named here before. Raises `RequestError` where it does not, or is no model.
    """
    home, _, qualified = place.rpartition(":")
    packages = {point.module.partition(".")[0] for point in entry_points()[0]}
    if home.endswith(".py"):
        if not _named(Path(home)).exists():
            raise RequestError(f"{home}: was never run here: where you trust it, --plugins {place!r} names it")
    elif home not in sys.modules and home.partition(".")[0] not in packages:
        raise RequestError(f"{home}: is of no plugin that may run here: install it, or import it first")
    model = resolve(place)
    from ganbench.model import Model

    if not (isinstance(model, type) and issubclass(model, Model)):
        raise RequestError(f"{place}: is not a subclass of ganbench.Model")
    return model


def _named(path: Path) -> Path:
    """Return the note that a file of a model was named in a request on this machine."""
    return cache_folder("named") / hashlib.sha256(str(path).encode()).hexdigest()


def source_hash(model: type[Model]) -> str:
    """Return the SHA-256 of the model's module and of every module of its own package that it imports."""
    digest = hashlib.sha256()
    for path in _sources(sys.modules[model.__module__]):
        digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()


def _sources(module: ModuleType) -> list[Path]:
    package = module.__name__.partition(".")[0]
    waiting, seen = [module.__name__], dict[str, Path]()
    while waiting:
        name = waiting.pop()
        spec = None if name in seen else _spec(name)
        if spec is None or not spec.origin or not Path(spec.origin).is_file():
            continue
        seen[name] = Path(spec.origin)
        if seen[name].suffix != ".py":
            continue
        home = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(seen[name].read_bytes())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name.partition(".")[0] == package]
            elif isinstance(node, ast.ImportFrom):
                base = node.module
                if node.level:
                    base = importlib.util.resolve_name("." * node.level + (node.module or ""), home)
                if base and base.partition(".")[0] == package:
                    waiting += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [seen[name] for name in sorted(seen)]


def _spec(name: str) -> ModuleSpec | None:
    """Find a module whether or not it is imported yet; None for a name that is no module."""
    try:
        return importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
