"""Discovery: entry points one by one, names, and errors that say whose fault it is."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from ganbench import hookspecs
from ganbench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from ganbench.model import Model

GROUP = "ganbench"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
KINDS = {"models": "model", "datasets": "data set", "extractors": "extractor", "tracks": "track"}


@dataclass(frozen=True)
class Origin:
    """Who brought a thing: a distribution's entry point, ganbench itself, or a file."""

    distribution: str
    version: str
    place: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip() + (f" ({self.place})" if self.place else "")


@dataclass(frozen=True)
class Registered:
    """A thing under its name, with who brought it."""

    name: str
    thing: Any
    origin: Origin


@dataclass(frozen=True)
class Broken:
    """An entry point that was left out, and why."""

    origin: Origin
    error: str


class Registry:
    """Everything that can be named in a request, by kind (`models`, `datasets`, `extractors`, `tracks`) and name."""

    def __init__(self) -> None:
        self._things: dict[str, dict[str, Registered]] = {kind: {} for kind in KINDS}
        self._clashes: dict[tuple[str, str], str] = {}
        self.broken: list[Broken] = []

    def all(self, kind: str) -> list[Registered]:
        """Return what is registered of a kind, in the order of registration."""
        return list(self._things[kind].values())

    def has(self, kind: str, name: str) -> bool:
        return name in self._things[kind]

    def get(self, kind: str, name: str) -> Registered:
        """Return one thing; raise `RequestError` for an unknown, broken or twice-taken name."""
        if (kind, name) in self._clashes:
            raise RequestError(self._clashes[kind, name])
        if name in self._things[kind]:
            return self._things[kind][name]
        for broken in self.broken:
            if name in re.split(r"[^A-Za-z0-9_-]+", f"{broken.origin.place} {broken.origin.distribution}"):
                raise RequestError(f"{KINDS[kind]} {name!r}: its plugin {broken.origin} is broken: {broken.error}")
        raise RequestError(f"unknown {KINDS[kind]} {name!r}{did_you_mean(name, self._things[kind])}")

    def add(self, kind: str, name: Any, thing: Any, origin: Origin) -> None:
        """Register a thing; a name that is taken is an error that names both sides."""
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise RequestError(f"{KINDS[kind]} name {name!r} from {origin}: use letters, digits, '.', '_' and '-'")
        taken = self._things[kind].get(name)
        if taken is not None:
            if taken.origin == origin and taken.thing is thing:
                return
            clash = (
                f"{KINDS[kind]} name {name!r} is taken twice: by {taken.origin} and by {origin}: remove or rename one"
            )
            self._clashes[kind, name] = clash
            raise RequestError(clash)
        self._things[kind][name] = Registered(name, thing, origin)

    def add_plugin(self, module: Any, origin: Origin) -> None:
        """Take in what a module's hooks register; raise what goes wrong in it."""
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        manager.register(module)
        for implementation in _hooks_of(manager, module):
            if not hasattr(hookspecs, implementation):
                known = [f"ganbench_register_{kind}" for kind in KINDS]
                raise RequestError(f"no hook is called {implementation!r}{did_you_mean(implementation, known)}")
        for kind in KINDS:
            add = getattr(self, f"_add_{kind}")
            getattr(manager.hook, f"ganbench_register_{kind}")(register=lambda thing, add=add: add(thing, origin))

    def _add_models(self, model: type[Model], origin: Origin) -> None:
        from ganbench.model import Model

        if not (isinstance(model, type) and issubclass(model, Model)):
            raise RequestError(f"{model!r} is not a subclass of ganbench.Model")
        if not isinstance(getattr(model, "name", None), str):
            raise RequestError(f'class {model.__qualname__} has no name: give it `name = "..."`')
        self.add("models", model.name, model, origin)

    def _add_datasets(self, source: Any, origin: Origin) -> None:
        self.add("datasets", source.name, source, origin)

    def _add_extractors(self, source: Any, origin: Origin) -> None:
        self.add("extractors", source.name, source, origin)

    def _add_tracks(self, path: Path, origin: Origin) -> None:
        from ganbench.tracks.track import read_track

        track = read_track(Path(path))
        self.add("tracks", track.name, track, origin)


def _hooks_of(manager: pluggy.PluginManager, module: Any) -> Iterator[str]:
    """Yield what a module marks as a hook, or names like one without marking it (which would do nothing)."""
    for attribute in dir(module):
        value = getattr(module, attribute, None)
        if not callable(value):
            continue
        marked = manager.parse_hookimpl_opts(module, attribute) is not None
        if marked:
            yield attribute
        elif attribute.startswith("ganbench_register_") and getattr(value, "__module__", "") == getattr(
            module, "__name__", ""
        ):
            raise RequestError(f"{attribute} is not marked: put @ganbench.hookimpl above it")


def take_in(registry: Registry, report: Callable[[Broken], None] = lambda broken: None) -> None:
    """Load every entry point of the group ``ganbench``, each by itself; a broken one is reported and left out."""
    for point in entry_points():
        distribution = point.dist
        origin = Origin(
            distribution.name if distribution else "unknown",
            distribution.version if distribution else "",
            f"{point.name} = {point.value}",
        )
        try:
            registry.add_plugin(point.load(), origin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may even call sys.exit when imported
            broken = Broken(origin, _one_line(error))
            registry.broken.append(broken)
            report(broken)


def entry_points() -> list[importlib.metadata.EntryPoint]:
    """Return the group's entry points: ganbench's own first, then by distribution and name, each once."""
    found = {(p.dist.name if p.dist else "", p.name, p.value): p for p in importlib.metadata.entry_points(group=GROUP)}
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != "ganbench", *key))]


def load_file(spec: str, registry: Registry) -> Registered:
    """Load ``path/to/file.py:Class`` and register the class; errors name the file."""
    path_text, _, class_name = spec.rpartition(":")
    path = Path(path_text).resolve()
    if not path.is_file():
        raise RequestError(f"plugin {spec!r}: there is no file {path}")
    model = getattr(_module_from(path), class_name, None)
    if model is None:
        raise RequestError(f"plugin {spec!r}: {path.name} defines no {class_name!r}")
    registry._add_models(model, Origin(str(path), "", class_name))
    return registry.get("models", model.name)


def _module_from(path: Path) -> ModuleType:
    name = f"ganbench_file_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RequestError(f"plugin {path}: {_one_line(error)}") from error
    return module


def address(model: type[Model], origin: Origin) -> str:
    """Return where a worker process finds the class: ``module:Class`` or ``/path/file.py:Class``."""
    if model.__module__.startswith("ganbench_file_"):
        return f"{origin.distribution}:{model.__qualname__}"
    return f"{model.__module__}:{model.__qualname__}"


def resolve(place: str) -> type[Model]:
    """Return the class at an `address`."""
    home, _, qualified = place.rpartition(":")
    found: Any = _module_from(Path(home)) if home.endswith(".py") else importlib.import_module(home)
    for part in qualified.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


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
        loaded = sys.modules.get(name)
        if name in seen or loaded is None or not getattr(loaded, "__file__", None):
            continue
        seen[name] = Path(str(loaded.__file__))
        home = name if seen[name].name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(seen[name].read_bytes())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name.partition(".")[0] == package]
            elif isinstance(node, ast.ImportFrom):
                base = (
                    importlib.util.resolve_name("." * node.level + (node.module or ""), home)
                    if node.level
                    else node.module
                )
                if base and base.partition(".")[0] == package:
                    waiting += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [seen[name] for name in sorted(seen)]


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, RequestError) else f"{type(error).__name__}: {text}"
