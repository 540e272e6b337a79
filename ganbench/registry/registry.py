"""Discovery: entry points one by one, names, and errors that say whose fault it is.

``GANBENCH_PLUGINS=name,...`` names the third-party plugins that may run, by distribution or entry point; ganbench's own
always may. One that it leaves out is never imported.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pluggy

from ganbench.errors import RequestError, did_you_mean
from ganbench.registry import hookspecs
from ganbench.util.text import error_line

GROUP = "ganbench"
ALLOWED = "GANBENCH_PLUGINS"
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
        self.left_out: list[Origin] = []

    def all(self, kind: str) -> list[Registered]:
        """Return what is registered of a kind, in the order of registration."""
        return list(self._things[kind].values())

    def has(self, kind: str, name: str) -> bool:
        return name in self._things[kind] or self._family(kind, name) is not None

    def _family(self, kind: str, name: str) -> Registered | None:
        """Return the data set that stands for all whose names begin as this one does: ``folder:PATH``."""
        head, colon, _ = name.partition(":")
        entry = self._things[kind].get(head) if kind == "datasets" and colon else None
        return entry if entry is not None and getattr(entry.thing, "at", None) is not None else None

    def get(self, kind: str, name: str) -> Registered:
        """Return one thing; raise `RequestError` for an unknown, broken or twice-taken name."""
        if (kind, name) in self._clashes:
            raise RequestError(self._clashes[kind, name])
        if name in self._things[kind]:
            return self._things[kind][name]
        if (family := self._family(kind, name)) is not None:
            return Registered(name, family.thing.at(name), family.origin)
        for broken in self.broken:
            if name in re.split(r"[^A-Za-z0-9_-]+", f"{broken.origin.place} {broken.origin.distribution}"):
                raise RequestError(f"{KINDS[kind]} {name!r}: its plugin {broken.origin} is broken: {broken.error}")
        unknown = f"unknown {KINDS[kind]} {name!r}{did_you_mean(name, self._things[kind])}"
        if self.left_out:  # what they would register cannot be known without importing them
            names = dict.fromkeys(f"{origin.distribution} {origin.version}".strip() for origin in self.left_out)
            unknown += f" (left out by {ALLOWED}: {', '.join(names)})"
        raise RequestError(unknown)

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
            from ganbench.metric import Metric

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
    """Load every entry point that may run, each by itself; a broken one is reported and left out.

    Raises `RequestError` where ``GANBENCH_PLUGINS`` names a plugin that is not installed.
    """
    points, left_out = entry_points()
    registry.left_out += map(_origin, left_out)
    for point in points:
        try:
            registry.add_plugin(point.load(), _origin(point))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may even call sys.exit when imported
            broken = Broken(_origin(point), error_line(error))
            registry.broken.append(broken)
            report(broken)


def _origin(point: EntryPoint) -> Origin:
    place = f"{point.name} = {point.value}"
    return Origin(point.dist.name, point.dist.version, place) if point.dist else Origin("unknown", "", place)


def entry_points() -> tuple[list[EntryPoint], list[EntryPoint]]:
    """Return the group's entry points that may run, ganbench's own first, then by distribution and name, and the rest.

    Raises `RequestError` where ``GANBENCH_PLUGINS`` names a plugin that is not installed.
    """
    found = {(p.dist.name if p.dist else "", p.name, p.value): p for p in importlib.metadata.entry_points(group=GROUP)}
    points = [found[key] for key in sorted(found, key=lambda key: (key[0] != "ganbench", *key))]
    text = os.environ.get(ALLOWED)
    if text is None:
        return points, []
    asked = [name.strip() for name in text.split(",") if name.strip()]
    known = {name for point in points for name in _names(point)}
    normal = {_normal(name) for name in known}
    for name in asked:
        if _normal(name) not in normal:
            raise RequestError(f"{ALLOWED}: no installed plugin is called {name!r}{did_you_mean(name, known)}")
    wanted = {_normal(name) for name in asked}
    may_run, left_out = list[EntryPoint](), list[EntryPoint]()
    for point in points:
        distribution, name = map(_normal, _names(point))
        (may_run if distribution == "ganbench" or {distribution, name} & wanted else left_out).append(point)
    return may_run, left_out


def _names(point: EntryPoint) -> tuple[str, str]:
    return _origin(point).distribution, point.name


def _normal(name: str) -> str:
    """Return a name as PyPI compares it: case counts for nothing, and runs of ``-_.`` are one."""
    return re.sub(r"[-_.]+", "-", name).lower()
