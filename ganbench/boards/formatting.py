"""How labels, numbers and roles read, wherever a board is shown."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING

from ganbench.boards.estimate import Estimate, is_logarithmic
from ganbench.metric import MetricInfo
from ganbench.util.text import one_line, shorten

if TYPE_CHECKING:
    from ganbench.boards.aggregate import Row
    from ganbench.boards.board import Board

BLANK = "–"
NAMED = 5
"""Models that a sentence names before it counts the others."""
RESERVED = {"curves", "grids"}
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def slug(label: str) -> str:
    """Return a file name for a label; no two labels share one, not even where case does not count."""
    if _SAFE.fullmatch(label) and label not in RESERVED:
        return label
    readable = re.sub(r"[^a-z0-9._-]+", "-", label.lower()).strip("-.")[:48]
    return f"{readable or 'model'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def name(row: Row, limit: int = 60) -> str:
    """Return the label, with the role where it is not ``model``: ``real (ceiling)``; ``vae (published)``."""
    role = "claimed" if row.claimed else "published" if row.published else row.role
    return shorten(one_line(row.label), limit) + ("" if role == "model" else f" ({one_line(role, 20)})")


def metric_value(value: float, info: MetricInfo, digits: int | None = None) -> str:
    """Return a distance with three significant digits (``29.1``, ``0.123``), others with the decimals of the metric.

    `digits` are other decimals than the metric's; they do not count for a distance.
    """
    if not is_logarithmic(info):
        return f"{value:.{info.digits if digits is None else digits}f}"
    size = abs(float(f"{value:.2e}"))  # 99.96 is 100, not 100.0
    if size and not 1e-3 <= size < 1e6:  # two seeds far apart: the end of an interval may have 20 digits
        return f"{value:.2e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(size))) if size else 0}f}"


def interval(found: Estimate | None, info: MetricInfo) -> str:
    """Return ``23.4 [20.1, 26.7]``, the mean alone where there is no interval, or a dash."""
    if found is None:
        return BLANK
    if found.low is None or found.high is None:
        return metric_value(found.mean, info)
    return f"{metric_value(found.mean, info)} [{metric_value(found.low, info)}, {metric_value(found.high, info)}]"


def plus_minus(found: Estimate | None, info: MetricInfo) -> str:
    """Return ``7.51 ± 0.12``, the mean alone for one seed, or a dash; of a distance the interval, which is lopsided."""
    if found is None:
        return BLANK
    if is_logarithmic(info) and found.n > 1:
        return interval(found, info)
    half = found.half_width
    return metric_value(found.mean, info) + ("" if half is None else f" ± {metric_value(half, info)}")


def first_place(board: Board) -> str:
    """Return the joint statement about the best model in one clause, with the headline of each that it may be.

    Models of a single seed are not judged; where there are some, it says so.
    """
    firsts = [f"{name(each.row)} ({board.headline.title} {interval(each.row.headline, board.headline)})"
              for each in board.possible_firsts]  # fmt: skip
    if not firsts:
        return "best: not known, since that takes two models with two seeds each"
    single = any(each.row.headline and each.row.headline.n == 1 and not each.row.claimed for each in board.models)
    best = "best of those with two seeds or more" if single else "best"
    if len(firsts) == 1:
        return f"{best}: {firsts[0]}"
    more = f" and {len(firsts) - NAMED} more" if len(firsts) > NAMED else ""
    return f"{best}: one of {', '.join(firsts[:NAMED])}{more}, which these seeds do not tell apart"


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separated, or a dash."""
    return BLANK if value is None else f"{value:,.{digits}f}"
