"""Everything that is installed but models: what scores samples must not import what made them."""

from __future__ import annotations

from collections.abc import Callable

from ganbench.registry.catalog import catalog
from ganbench.registry.entry_points import Origin, entry_points, origin_of
from ganbench.registry.item_checks import KINDS
from ganbench.registry.loading import load_items
from ganbench.registry.registry import Broken, Registry


def discover_without_models(report: Callable[[Broken], None] = lambda broken: None) -> Registry:
    """Return a registry of all installed data sets, extractors, metrics and tracks.

    `report` is called with what is broken.

    The catalog, which another process makes, says which entry points bring these: no other is imported here.
    """
    found = catalog()
    registry = load_items(
        (kind, item["name"], item["entry_point"]) for kind in KINDS if kind != "models" for item in found[kind]
    )
    for each in found["broken"]:
        origin = Origin(each["distribution"], each["version"], each["entry_point"], each["entry_point"])
        broken = Broken(origin, each["error"], each["kind"], each["item"])
        if broken not in registry.broken:
            registry.broken.append(broken)
        report(broken)
    registry.left_out += map(origin_of, entry_points()[1])
    return registry
