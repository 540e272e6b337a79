"""The curves of two rows at equal images and at equal training seconds.

Two models are rarely measured at the same place, and never at the same second. Between two measured points of a row
its value is interpolated, linearly over the logarithm of the axis; distances (FID) as logarithms, too. Beyond a row's
first or last point nothing is known, and nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ganbench.boards.aggregate import Row
from ganbench.boards.curves import points

NEAR = 1.05
"""Points of two rows this close, as a ratio, stand in one line: a budget ends at 60,000 images for a batch of 16, and
at 59,968 for one of 64."""

Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class EqualPoint:
    """Where a row was after `at` images or seconds, None beyond its curve; whether that was measured, not interpolated.

    At each point at least one row was measured.
    """

    at: float
    a: float | None
    b: float | None
    a_measured: bool
    b_measured: bool

    @property
    def ratio(self) -> float | None:
        """A / B."""
        return None if self.a is None or self.b is None else self.a / self.b


def at_equal(
    a: Row, b: Row, axis: Literal["images", "seconds"], n: int, *, logarithmic: bool
) -> tuple[EqualPoint, ...]:
    """Return two rows at the points where either was measured on `n` samples; none where a row has no curve."""
    curves = [[(point.x, point.mean) for point in points(row, axis, n)] for row in (a, b)]
    if not all(curves):
        return ()
    measured = [{x for x, _ in curve} for curve in curves]
    found = []
    for at in _places(*curves):
        first, second = (interpolate(curve, at, logarithmic=logarithmic) for curve in curves)
        found.append(EqualPoint(at, first, second, at in measured[0], at in measured[1]))
    return tuple(found)


def interpolate(curve: Curve, at: float, *, logarithmic: bool) -> float | None:
    """Return a curve's value at a point; None outside of it. `curve` holds pairs (x, y), x > 0 and rising."""
    for x, y in curve:
        if x == at:
            return y
    for (x, y), (to, end) in zip(curve, curve[1:], strict=False):
        if x < at < to:
            share = math.log(at / x) / math.log(to / x)
            return y * (end / y) ** share if logarithmic else y + (end - y) * share
    return None


def _places(a: Curve, b: Curve) -> list[float]:
    """Return where to compare: every point of either, but one alone of points that lie near each other."""
    groups: list[list[float]] = []
    for x in sorted({x for x, _ in (*a, *b)}):
        if groups and x <= NEAR * groups[-1][0]:
            groups[-1].append(x)
        else:
            groups.append([x])
    first, last = max(a[0][0], b[0][0]), min(a[-1][0], b[-1][0])
    return [next((x for x in group if first <= x <= last), group[0]) for group in groups]
