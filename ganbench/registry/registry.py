"""The registry: names, who brought them, and errors that say whose fault it is.

Entry points are loaded one by one, hooks are called one by one, and items are added one by one: whatever is broken is
reported as `Broken` and left out alone. A request that names something broken fails with that reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pluggy

from ganbench.errors import RequestError, did_you_mean
from ganbench.registry import hookspecs
from ganbench.registry.entry_points import ALLOWED, GROUP, Origin, entry_points, origin_of
from ganbench.registry.item_checks import KINDS, checked
from ganbench.util.text import error_line, one_line

_HOOK = "ganbench_register_"


@dataclass(frozen=True)
class Registered:
    """A thing under its name, with who brought it."""

    name: str
    thing: Any
    origin: Origin


@dataclass(frozen=True)
class Broken:
    """What was left out, and why: an entry point as a whole (`kind` and `item` are empty), a hook, or one item.

    `kind` is a key of `KINDS`. `item` is the item's name (a track file's without ``.toml``), where it has none its
    representation, and empty for a hook that failed, which may have registered something before.
    """

    origin: Origin
    error: str
    kind: str = ""
    item: str = ""

    @property
    def what(self) -> str:
        """The item in words, such as ``model 'tiny'``; empty for an entry point as a whole."""
        return f"{KINDS[self.kind]} {self.item!r}" if self.item else f"{_HOOK}{self.kind}" if self.kind else ""

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.origin), self.what, self.error) if part)


class Registry:
    """Everything that can be named in a request, by kind (a key of `KINDS`) and name."""

    def __init__(self) -> None:
        self._things: dict[str, dict[str, Registered]] = {kind: {} for kind in KINDS}
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
        """Return one thing; raise `RequestError`, which says why, for an unknown or broken name."""
        if name in self._things[kind]:
            return self._things[kind][name]
        if (family := self._family(kind, name)) is not None:
            return Registered(name, family.thing.at(name), family.origin)
        # First what is broken under this very name, then plugins that are called so: their items have no names yet.
        for broken in self.broken:
            if (broken.kind, broken.item) == (kind, name):
                raise RequestError(f"{broken.what} of {broken.origin} is broken: {broken.error}")
        for broken in self.broken:
            if name in re.split(r"[^A-Za-z0-9_-]+", f"{broken.origin.place} {broken.origin.distribution}"):
                reason = ": ".join(filter(None, [broken.what, broken.error]))
                raise RequestError(f"{KINDS[kind]} {name!r}: its plugin {broken.origin} is broken: {reason}")
        unknown = f"unknown {KINDS[kind]} {name!r}{did_you_mean(name, self._things[kind])}"
        if self.left_out:  # what they would register cannot be known without importing them
            names = dict.fromkeys(f"{origin.distribution} {origin.version}".strip() for origin in self.left_out)
            unknown += f" (left out by {ALLOWED}: {', '.join(names)})"
        raise RequestError(unknown)

    def take(self, kind: str, thing: Any, origin: Origin) -> Registered:
        """Register one thing and return it; raise `RequestError` where it is not what its kind asks for.

        The first that has a name keeps it: for another the error names both sides.
        """
        thing = checked(kind, thing)
        entry = Registered(thing.name, thing, origin)
        taken = self._things[kind].setdefault(entry.name, entry)
        if taken.thing is not thing or taken.origin != origin:
            raise RequestError(
                f"{KINDS[kind]} name {entry.name!r} is taken twice: by {taken.origin}, which keeps it, and by {origin}:"
                " rename one, uninstall one, or ask for the first alone"
            )
        return entry

    def add_plugin(self, module: Any, origin: Origin, kinds: Iterable[str] = KINDS) -> list[Broken]:
        """Register what a module's hooks for `kinds` register; return (and remember) what is broken in it."""
        broken: list[Broken] = []
        try:
            hooks = dict(_hooks_of(module, broken, origin))
        except BaseException as error:
            broken.append(_failed(error, origin))
            hooks = {}
        for kind in kinds:
            if (hook := hooks.get(f"{_HOOK}{kind}")) is None:
                continue
            try:
                _call(hook, kind, self._register(kind, origin, broken))
            except BaseException as error:
                broken.append(_failed(error, origin, kind))
        self.broken += broken
        return broken

    def _register(self, kind: str, origin: Origin, broken: list[Broken]) -> Callable[[Any], None]:
        """Return the callback that a hook is given: what is wrong with one item is noted, and the hook goes on."""

        def register(thing: Any) -> None:
            try:
                self.take(kind, thing, origin)
            except BaseException as error:
                broken.append(_failed(error, origin, kind, _name_of(kind, thing)))

        return register


def _failed(error: BaseException, origin: Origin, kind: str = "", item: str = "") -> Broken:
    """Return what is told of an error in a plugin, which may even call sys.exit; Ctrl-C is the user's and goes on."""
    if isinstance(error, KeyboardInterrupt):
        raise error
    return Broken(origin, error_line(error), kind, item)


def _name_of(kind: str, thing: Any) -> str:
    """Return the name that a request would have for a thing, as far as it can be told."""
    if kind == "tracks" and isinstance(thing, str | Path):
        return Path(thing).stem
    try:
        name = getattr(thing, "name", None)
        return name if isinstance(name, str) and name else one_line(repr(thing), 60)
    except Exception:  # its __repr__ may be broken as well
        return type(thing).__name__


def _hooks_of(module: Any, broken: list[Broken], origin: Origin) -> Iterator[tuple[str, Any]]:
    """Yield a module's hooks by name; note those that ganbench would never call in `broken`."""
    options = pluggy.PluginManager(GROUP)
    known = [f"{_HOOK}{kind}" for kind in KINDS]
    for name in dir(module):
        value = getattr(module, name, None)
        if not callable(value):
            continue
        if options.parse_hookimpl_opts(module, name) is not None:
            if name in known:
                yield name, value
            else:
                broken.append(Broken(origin, f"no hook is called {name!r}{did_you_mean(name, known)}"))
        elif name.startswith(_HOOK) and getattr(value, "__module__", "") == getattr(module, "__name__", ""):
            broken.append(Broken(origin, f"{name} is not marked: put @ganbench.hookimpl above it"))


def _call(hook: Any, kind: str, register: Callable[[Any], None]) -> None:
    """Call one hook by itself, so that one with wrong arguments does not keep its neighbours from being called."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(SimpleNamespace(**{f"{_HOOK}{kind}": hook}))
    getattr(manager.hook, f"{_HOOK}{kind}")(register=register)


def take_in(registry: Registry, report: Callable[[Broken], None] = lambda broken: None) -> None:
    """Load every entry point that may run; `report` is called with whatever is broken.

    Raises `RequestError` where ``GANBENCH_PLUGINS`` names a plugin that is not installed.
    """
    points, left_out = entry_points()
    registry.left_out += map(origin_of, left_out)
    for point in points:
        for broken in load_entry_point(registry, point):
            report(broken)


def load_entry_point(registry: Registry, point: Any, kinds: Iterable[str] = KINDS) -> list[Broken]:
    """Import the module of an entry point and register what its hooks for `kinds` bring; return what is broken."""
    try:
        module = point.load()
    except BaseException as error:
        broken = _failed(error, origin_of(point))
        registry.broken.append(broken)
        return [broken]
    return registry.add_plugin(module, origin_of(point), kinds)
