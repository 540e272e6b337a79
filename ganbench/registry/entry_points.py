"""Which entry points there are, and which of them may run.

``GANBENCH_PLUGINS=name,...`` names the third-party plugins that may run, by distribution or entry point; ganbench's own
always may. One that it leaves out is never imported.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from ganbench.errors import RequestError, did_you_mean

GROUP = "ganbench"
ALLOWED = "GANBENCH_PLUGINS"


@dataclass(frozen=True)
class Origin:
    """Who brought a thing: a distribution's entry point, ganbench itself, or a file.

    `place` is where in the distribution, for readers; `entry_point` is ``name = module``, empty where none brought it.
    """

    distribution: str
    version: str
    place: str
    entry_point: str = ""

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip() + (f" ({self.place})" if self.place else "")


def origin_of(point: EntryPoint) -> Origin:
    """Return whom an entry point belongs to."""
    text = entry_point_text(point)
    return Origin(point.dist.name, point.dist.version, text, text) if point.dist else Origin("unknown", "", text, text)


def entry_point_text(point: EntryPoint) -> str:
    """Return ``name = module``, as it stands in a distribution's ``entry_points.txt``."""
    return f"{point.name} = {point.value}"


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
    return origin_of(point).distribution, point.name


def _normal(name: str) -> str:
    """Return a name as PyPI compares it: case counts for nothing, and runs of ``-_.`` are one."""
    return re.sub(r"[-_.]+", "-", name).lower()
