"""What training may spend: images seen, updates, seconds; whichever runs out first ends it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ganbench.errors import RequestError

GRAMMAR = "write 100kimg, 2000steps, 90s or 5m, or several joined by commas"
LARGEST = 10**15
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(kimg|img|steps?|s|m|h)")


@dataclass(frozen=True)
class Budget:
    """Limits on training; None is no limit, and at least one is set."""

    images: int | None = None
    steps: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read a budget such as ``100kimg,90s``; raise `RequestError` that explains the grammar."""
        found: dict[str, Decimal] = {}
        for part in text.split(","):
            match = _PART.fullmatch(part.strip().lower())
            if not match:
                raise RequestError(f"budget {text!r}: cannot read {part.strip()!r}: {GRAMMAR}")
            number, unit = Decimal(match[1]), match[2]
            kind, scale = {
                "kimg": ("images", 1000), "img": ("images", 1), "step": ("steps", 1), "steps": ("steps", 1),
                "s": ("seconds", 1), "m": ("seconds", 60), "h": ("seconds", 3600),
            }[unit]  # fmt: skip
            if kind in found:
                raise RequestError(f"budget {text!r}: two limits on {kind}: keep one")
            amount = number * scale
            if not 0 < amount <= LARGEST:
                size = "zero: nothing could be trained" if amount == 0 else "too large"
                raise RequestError(f"budget {text[:60]!r}: {part.strip()[:60]!r} is {size}")
            if kind != "seconds" and amount != int(amount):
                raise RequestError(f"budget {text!r}: {part.strip()!r} is not a whole number of {kind}")
            found[kind] = amount
        images, steps, seconds = (found.get(kind) for kind in ("images", "steps", "seconds"))
        return cls(
            None if images is None else int(images),
            None if steps is None else int(steps),
            None if seconds is None else float(seconds),
        )

    def __str__(self) -> str:
        """The canonical spelling: equal budgets read equal."""
        parts = []
        if self.images is not None:
            parts.append(f"{self.images // 1000}kimg" if self.images % 1000 == 0 else f"{self.images}img")
        if self.steps is not None:
            parts.append(f"{self.steps}steps")
        if self.seconds is not None:
            parts.append(f"{Decimal(repr(self.seconds)).normalize():f}s")
        return ",".join(parts)

    def share(self, *, images: int, steps: int, seconds: float) -> float:
        """Return how much of the budget is spent, 0 to 1 and beyond: the largest share of any limit."""
        spent = ((images, self.images), (steps, self.steps), (seconds, self.seconds))
        return max(used / limit for used, limit in spent if limit is not None)

    def admits(self, *, images: int, steps: int, seconds: float) -> bool:
        """Return whether one more step may be made that would bring the counts to `images` and `steps`."""
        return (
            (self.images is None or images <= self.images)
            and (self.steps is None or steps <= self.steps)
            and (self.seconds is None or seconds < self.seconds)
        )
