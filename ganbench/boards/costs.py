"""What a board says a row cost: means over its runs that ended well, which compare on one machine alone."""

from __future__ import annotations

from typing import NamedTuple


class Cost(NamedTuple):
    """A field of `Row`, the heading of its column, and decimals on a page; the CSV has them all."""

    name: str
    title: str
    digits: int = 0


COSTS = (
    Cost("parameters", "parameters"),
    Cost("images_per_second", "img/s"),
    Cost("train_seconds", "train s", 1),
    Cost("sample_seconds", "sample s", 1),
    Cost("peak_memory_mib", "peak MiB"),
)
