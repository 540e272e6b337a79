"""What a model costs, beside its quality: one line a cost, here alone."""

from __future__ import annotations

from dataclasses import dataclass

from ganbench.boards.aggregate import Row


@dataclass(frozen=True)
class Cost:
    """A field of `Row`: how its column and its axis are titled, and with how many decimals it is shown."""

    field: str
    title: str
    axis: str
    digits: int = 0
    shown: bool = False
    pareto: bool = False

    def of(self, row: Row) -> float | None:
        """Return what a row costs, None where that is not known, or by a ganbench that does not measure it."""
        value: float | None = getattr(row, self.field, None)
        return value


COSTS = (
    Cost("train_seconds", "train s", "training seconds", 1, shown=True, pareto=True),
    Cost("parameters", "parameters", "parameters", shown=True, pareto=True),
    Cost("peak_memory_mib", "peak MiB", "peak memory of training, MiB", pareto=True),
    Cost("training_flops", "FLOPs", "training FLOPs", pareto=True),
    Cost("images_per_second", "img/s", "training images a second"),
    Cost("sample_seconds", "sample s", "seconds to draw the samples", 1),
)
