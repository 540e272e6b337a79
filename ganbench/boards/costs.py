"""What a board says a row cost: means over its runs that ended well, which compare on one machine alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ganbench.util.text import human_flops


class Cost(NamedTuple):
    """A field of `Row`, the title of its column, and how it reads: with some decimals, or as `write` says.

    The CSV has full precision.
    """

    name: str
    title: str
    digits: int = 0
    write: Callable[[float], str] | None = None


COSTS = (
    Cost("parameters", "parameters"),
    Cost("images_per_second", "img/s"),
    Cost("train_seconds", "train s", 1),
    Cost("sample_seconds", "sample s", 1),
    Cost("peak_memory_mib", "peak MiB"),
    Cost("flops", "FLOPs", write=human_flops),
)
