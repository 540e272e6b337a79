"""What a board says a row cost: means over its runs that ended well, which compare on one machine alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ganbench.boards.formatting import number
from ganbench.util.text import human_flops


class Cost(NamedTuple):
    """A field of `Row`, the title of its column, its name in full, and how it is written: with decimals, or by `write`.

    The CSV has full precision.
    """

    name: str
    title: str
    meaning: str
    digits: int = 0
    write: Callable[[float], str] | None = None

    def text(self, value: float | None) -> str:
        """Return a value as people read it, a dash where there is none."""
        return number(value, self.digits) if value is None or self.write is None else self.write(value)


COSTS = (
    Cost("parameters", "parameters", "parameters"),
    Cost("images_per_second", "img/s", "images per second"),
    Cost("train_seconds", "train s", "training seconds", 1),
    Cost("sample_seconds", "sample s", "sampling seconds", 1),
    Cost("peak_memory_mib", "peak MiB", "peak memory of training, MiB"),
    Cost("flops", "FLOPs", "training FLOPs", write=human_flops),
)
