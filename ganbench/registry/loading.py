"""A registry of only what is named: the scoring worker must not import the plugins that bring models."""

from __future__ import annotations

from collections.abc import Iterable

from ganbench.errors import RequestError
from ganbench.registry.builtins import built_in
from ganbench.registry.entry_points import ALLOWED, entry_point_text, entry_points
from ganbench.registry.item_checks import KINDS
from ganbench.registry.registry import Registered, Registry, load_entry_point


def entry_point_of(registered: Registered) -> str:
    """Return the entry point that brought a thing, ``name = module``; empty for ganbench's own and for files."""
    return registered.origin.entry_point


def load_items(named: Iterable[tuple[str, str, str]]) -> Registry:
    """Return a registry of ganbench's own data sets, extractors, metrics and tracks, and of what is named besides.

    `named` are (kind, name, entry point): a key of `KINDS` but ``models``, and what `entry_point_of` returned where
    the request was read. Only the modules of these entry points are imported, and only their hooks of the kinds
    named are called. Raises `RequestError` where something named is not there or broken.
    """
    named = list(named)
    wanted: dict[str, set[str]] = {}
    for kind, _, entry_point in named:
        if kind not in KINDS or kind == "models":
            raise ValueError(f"{kind!r} is not a kind of thing that is loaded without models")
        if entry_point:
            wanted.setdefault(entry_point, set()).add(kind)
    registry = built_in()
    points = entry_points()[0] if wanted else []
    for point in points:  # in their usual order, so that the same one keeps a name that two have
        kinds = wanted.get(entry_point_text(point), set())
        if kinds:
            load_entry_point(registry, point, [kind for kind in KINDS if kind in kinds])
    installed = {entry_point_text(point) for point in points}
    for kind, name, entry_point in named:
        if entry_point and entry_point not in installed:
            raise RequestError(
                f"{KINDS[kind]} {name!r}: its plugin ({entry_point}) is not installed, or {ALLOWED} leaves it out"
            )
        if not registry.has(kind, name):
            for broken in registry.broken:  # of the plugin itself nothing but its entry point is known
                if broken.origin.entry_point == entry_point and broken.item in ("", name):
                    raise RequestError(f"{KINDS[kind]} {name!r} cannot be loaded: {broken}")
            registry.get(kind, name)  # says that it is unknown
    return registry
