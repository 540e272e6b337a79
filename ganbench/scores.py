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


_FID, _IS, _PR, _DC = "arXiv:1706.08500", "arXiv:1606.03498", "arXiv:1904.06991", "arXiv:2002.09797"
_AUTHENTICITY, _CAS = "arXiv:2102.08921", "arXiv:1905.10887"
_COPIES = "share of samples that are no near-copies of training images; near 0 is copying"
_ACC = "classifier trained on labelled samples, tested on real images (conditional models)"
_ORACLE = "the same with labels from the frozen extractor, whose knowledge leaks in: never ranks"

METRICS = (
    Metric("fid", "FID", "lower", 0, None, 1, 1, "Fréchet distance of features, ranks the board", _FID),
    Metric("is", "IS", "higher", 1, None, 2, 1, "Inception Score from the extractor's classes", _IS),
    Metric("precision", "P", "higher", 0, 1, 3, 1, "share of samples near real ones; read it with R and C", _PR),
    Metric("recall", "R", "higher", 0, 1, 3, 1, "share of real images near samples", _PR),
    Metric("density", "D", "higher", 0, None, 3, 1, "how crowded real neighbourhoods are; 1 for real", _DC),
    Metric("coverage", "C", "higher", 0, 1, 3, 1, "share of real neighbourhoods that hold a sample", _DC),
    Metric("authenticity", "Auth", "higher", 0, 1, 3, 1, _COPIES, _AUTHENTICITY),
    Metric("acc", "acc", "higher", 0, 1, 3, 1, _ACC, _CAS),
    Metric("acc_oracle", "acc*", "neither", 0, 1, 3, 1, _ORACLE, _CAS),
)

BY_NAME = {metric.name: metric for metric in METRICS}
HEADLINE = BY_NAME["fid"]
