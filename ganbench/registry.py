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
from importlib.machinery import ModuleSpec
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
KINDS = {
    "models": "model", "datasets": "data set", "extractors": "extractor", "metrics": "metric", "tracks": "track",
}  # fmt: skip


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
    """Everything that can be named in a request, by kind (a key of `KINDS`) and name."""

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

    def take(self, kind: str, thing: Any, origin: Origin) -> None:
        """Register one thing that a hook gave; a name that is taken is an error that names both sides."""
        self._commit([self._entry(kind, thing, origin)])

    def add_plugin(self, module: Any, origin: Origin) -> None:
        """Take in what a module's hooks register; where anything goes wrong in it, raise and take in nothing."""
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        manager.register(module)
        for hook in _hooks_of(manager, module):
            if not hasattr(hookspecs, hook):
                known = [f"ganbench_register_{kind}" for kind in KINDS]
                raise RequestError(f"no hook is called {hook!r}{did_you_mean(hook, known)}")
        entries: list[tuple[str, Registered]] = []
        for kind in KINDS:

            def register(thing: Any, kind: str = kind) -> None:
                entries.append(self._entry(kind, thing, origin))

            getattr(manager.hook, f"ganbench_register_{kind}")(register=register)
        self._commit(entries)

    def _entry(self, kind: str, thing: Any, origin: Origin) -> tuple[str, Registered]:
        if kind == "tracks":
            from ganbench.tracks.track import read_track

            thing = read_track(Path(thing))
        elif kind == "models":
            from ganbench.model import Model

            if not (isinstance(thing, type) and issubclass(thing, Model)):
                raise RequestError(f"{thing!r} is not a subclass of ganbench.Model")
            if not isinstance(getattr(thing, "name", None), str):
                raise RequestError(f'class {thing.__qualname__} has no name: give it `name = "..."`')
        elif kind == "metrics":
            from ganbench.scores import Metric

            if not isinstance(thing, Metric):
                raise RequestError(f"{thing!r} is not a ganbench.Metric")
        if not isinstance(thing.name, str) or not NAME.fullmatch(thing.name):
            raise RequestError(
                f"{KINDS[kind]} name {thing.name!r} from {origin}: use letters, digits, '.', '_' and '-'"
            )
        return kind, Registered(thing.name, thing, origin)

    def _commit(self, entries: list[tuple[str, Registered]]) -> None:
        known = {kind: dict(things) for kind, things in self._things.items()}
        for kind, entry in entries:
            taken = known[kind].setdefault(entry.name, entry)
            if taken.thing is not entry.thing or taken.origin != entry.origin:
                sides = f"by {taken.origin} and by {entry.origin}"
                clash = f"{KINDS[kind]} name {entry.name!r} is taken twice: {sides}: remove or rename one"
                self._clashes[kind, entry.name] = clash
                raise RequestError(clash)
        self._things = known


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
    origin = Origin(str(path), "", class_name)
    try:
        registry.take("models", model, origin)
    except RequestError as error:
        raise RequestError(f"plugin {spec!r}: {error}") from error
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


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, RequestError) else f"{type(error).__name__}: {text}"
