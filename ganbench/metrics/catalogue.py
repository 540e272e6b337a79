"""The scores that a record holds: their names, directions, ranges, versions and sources, in board order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One column of a board.

    `low` and `high` bound the values (None: unbounded). `digits` are decimals in Markdown; CSV has them all.
    `version` is part of a track's fingerprint: raise it when the definition changes.
    """

    name: str
    title: str
    direction: Literal["lower", "higher", "neither"]
    low: float | None
    high: float | None
    digits: int
    version: int
    meaning: str
    source: str

    @property
    def arrow(self) -> str:
        return {"lower": " ↓", "higher": " ↑", "neither": ""}[self.direction]


METRICS = (
    Metric("fid", "FID", "lower", 0, None, 1, 1, "Fréchet distance of features, ranks the board", "arXiv:1706.08500"),
    Metric("is", "IS", "higher", 1, None, 2, 1, "Inception Score from the extractor's classes", "arXiv:1606.03498"),
    Metric("precision", "P", "higher", 0, 1, 3, 1, "share of samples near real ones; read it with R and C", "arXiv:1904.06991"),
    Metric("recall", "R", "higher", 0, 1, 3, 1, "share of real images near samples", "arXiv:1904.06991"),
    Metric("density", "D", "higher", 0, None, 3, 1, "how crowded real neighbourhoods are; 1 for real", "arXiv:2002.09797"),
    Metric("coverage", "C", "higher", 0, 1, 3, 1, "share of real neighbourhoods that hold a sample", "arXiv:2002.09797"),
    Metric("authenticity", "Auth", "higher", 0, 1, 3, 1, "share of samples that are no near-copies of training images; near 0 is copying", "arXiv:2102.08921"),
    Metric("acc", "acc", "higher", 0, 1, 3, 1, "classifier trained on labelled samples, tested on real images (conditional models)", "arXiv:1905.10887"),
    Metric("acc_oracle", "acc*", "neither", 0, 1, 3, 1, "the same with labels from the frozen extractor, whose knowledge leaks in: never ranks", "arXiv:1905.10887"),
)  # fmt: skip

BY_NAME = {metric.name: metric for metric in METRICS}
HEADLINE = BY_NAME["fid"]
