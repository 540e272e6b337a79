"""What must be the same on every node: Python, ganbench's code, and the versions of what runs depend on.

Two nodes that differ in one of these would give runs of one board that do not compare.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ganbench.registry.entry_points import entry_points

PACKAGES = ("ganbench", "ganbench_plugins")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@cache
def environment() -> dict[str, str]:
    """Return versions by name: of Python, dependencies and plugins; and a hash of the code of ganbench."""
    found = {"python": platform.python_version(), "ganbench's code": _code()}
    required = importlib.metadata.requires("ganbench") or []
    names = [match[0] for each in required if "extra ==" not in each and (match := _NAME.match(each))]
    names += [point.dist.name for point in entry_points()[0] if point.dist is not None]
    for name in dict.fromkeys(names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def difference(here: dict[str, str], there: dict[str, str]) -> str:
    """Say in what two environments differ, nothing where they do not; at most three things are named."""
    names = [name for name in dict.fromkeys((*here, *there)) if here.get(name) != there.get(name)]
    told = [f"{name} {there.get(name, 'missing')} (here {here.get(name, 'missing')})" for name in names[:3]]
    return ", ".join(told) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _code() -> str:
    """Return the first digits of a hash of the code of ganbench and of the models that it ships."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = find_spec(package)
        for place in map(Path, (spec.submodule_search_locations or []) if spec else []):
            for file in sorted(place.rglob("*.py")):
                digest.update(f"{package}/{file.relative_to(place)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
