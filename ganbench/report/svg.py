"""Scales, ticks and the frame of a chart, as SVG text; every word in it is escaped by `Markup.format`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 10, 42


class Scale(Protocol):
    """From values to places on the page."""

    def __call__(self, value: float) -> float: ...

    def ticks(self) -> list[float]: ...


@dataclass(frozen=True)
class LogScale:
    """Values above 0 from `low` to `high` to places from `start` to `stop`; what lies outside is set to the edge."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        share = math.log(inside / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Return powers of ten, where there are few with 2 and 5, or more, between them, else round values."""
        for parts in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
            found = [
                part * 10.0**power
                for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
                for part in parts
                if self.low <= part * 10.0**power <= self.high
            ]
            if len(found) >= 3:
                return found if len(found) <= 9 else found[:: -(-len(found) // 8)]
        return LinearScale(self.low, self.high, self.start, self.stop).ticks()


@dataclass(frozen=True)
class LinearScale:
    """Values from `low` to `high` to places from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Return at most seven round values."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(part * power for part in (1, 2, 5, 10) if part * power >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [step * index for index in range(first, last + 1)]


def log_scale(values: Iterable[float], start: float, stop: float) -> LogScale:
    """Return a scale that reaches a little beyond values, which are above 0."""
    found = list(values)
    low, high = min(found), max(found)
    margin = max((high / low) ** 0.05, 1.05)
    return LogScale(low / margin, high * margin, start, stop)


def linear_scale(values: Iterable[float], start: float, stop: float) -> LinearScale:
    """Return a scale that reaches a little beyond values."""
    found = list(values)
    low, high = min(found), max(found)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return LinearScale(low - margin, high + margin, start, stop)


def across(values: Iterable[float]) -> LogScale:
    """Return the scale of a chart's horizontal axis."""
    return log_scale(values, LEFT, WIDTH - RIGHT)


def upwards(values: Iterable[float]) -> LogScale:
    """Return the scale of a chart's vertical axis."""
    return log_scale(values, HEIGHT - BOTTOM, TOP)


def tick_label(value: float) -> str:
    """Return ``20k`` for 20000."""
    for size, suffix in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}" if value else "0"


def spaced(scale: Scale, least: float) -> list[float]:
    """Return ticks whose labels do not touch: `least` apart on the page."""
    found: list[float] = []
    for tick in scale.ticks():
        if not found or abs(scale(tick) - scale(found[-1])) >= least:
            found.append(tick)
    return found


def place(value: float) -> str:
    """Return a place with a tenth of a unit, as short as can be."""
    return f"{value:.1f}".removesuffix(".0")


def line(points: Iterable[tuple[float, float]]) -> str:
    """Return the path through points of the page."""
    return "M" + "L".join(f"{place(x)} {place(y)}" for x, y in points)


def dots(points: Iterable[tuple[float, float]]) -> str:
    """Return a path of no length at each point; a round line cap makes it a dot."""
    return "".join(f"M{place(x)} {place(y)}h0" for x, y in points)


def frame(x: Scale, y: Scale, x_title: str, y_title: str) -> Markup:
    """Return the grid, the labels of ticks and the titles of both axes."""
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [Markup('<g class="grid" aria-hidden="true">')]
    for value in spaced(x, 34):
        at = place(x(value))
        parts.append(Markup('<path d="M{0} {1}V{2}"/><text x="{0}" y="{3}" class="mid">{4}</text>').format(
            at, TOP, base, base + 15, tick_label(value)))  # fmt: skip
    for value in spaced(y, 15):
        at = place(y(value))
        parts.append(Markup('<path d="M{0} {1}H{2}"/><text x="{3}" y="{1}" dy="4" class="end">{4}</text>').format(
            LEFT, at, right, LEFT - 6, tick_label(value)))  # fmt: skip
    parts.append(Markup('<text x="{0}" y="{1}" class="mid title">{2}</text>').format(
        (LEFT + right) // 2, HEIGHT - 8, x_title))  # fmt: skip
    parts.append(Markup('<text transform="translate(12 {0}) rotate(-90)" class="mid title">{1}</text></g>').format(
        (TOP + base) // 2, y_title))  # fmt: skip
    return Markup("").join(parts)


def chart(content: Sequence[Markup], label: str, *, interactive: bool = False) -> Markup:
    """Return the picture; what holds links is a group, since the insides of an image are hidden from screen readers."""
    return Markup('<svg viewBox="0 0 {0} {1}" class="chart" role="{2}" aria-label="{3}">{4}</svg>').format(
        WIDTH, HEIGHT, "group" if interactive else "img", label, Markup("").join(content)
    )
