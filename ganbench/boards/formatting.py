"""How labels, numbers and roles read, wherever a board is shown."""

from __future__ import annotations

import hashlib
import re

from ganbench.boards.aggregate import Estimate, Row
from ganbench.util.text import one_line

BLANK = "–"
RESERVED = {"curves", "grids"}
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def slug(label: str) -> str:
    """Return a file name for a label; no two labels share one, not even where case does not count."""
    if _SAFE.fullmatch(label) and label not in RESERVED:
        return label
    readable = re.sub(r"[^a-z0-9._-]+", "-", label.lower()).strip("-.")[:48]
    return f"{readable or 'model'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def name(row: Row, limit: int = 60) -> str:
    """Return the label, with the role where it is not ``model``: ``real (ceiling)``; ``dcgan (published)``."""
    role = "published" if row.published else row.role
    return one_line(row.label, limit) + ("" if role == "model" else f" ({one_line(role, 20)})")


def interval(found: Estimate | None, digits: int) -> str:
    """Return ``23.4 [20.1, 26.7]``, the mean alone for one seed, or a dash."""
    if found is None:
        return BLANK
    if found.low is None or found.high is None:
        return f"{found.mean:.{digits}f}"
    return f"{found.mean:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def plus_minus(found: Estimate | None, digits: int) -> str:
    """Return ``7.51 ± 0.12``, the mean alone for one seed, or a dash."""
    if found is None:
        return BLANK
    half = found.half_width
    return f"{found.mean:.{digits}f}" + ("" if half is None else f" ± {half:.{digits}f}")


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separated, or a dash."""
    return BLANK if value is None else f"{value:,.{digits}f}"
