"""When two numbers, or two drawings of the same samples, are the same: to the last digit, or within a tolerance.

On the same kind of machine (processor, device, torch, threads) the same work gives the same bits. On another, sums are
taken in another order: docs/submitting.md shows how far scores and samples moved for that reason alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ganbench.store.score_record import ScoreRecord

KIND = ("torch", "cuda", "device", "cpu", "threads", "deterministic")
"""Parts of provenance that decide rounding."""
RELATIVE = 0.001
"""Of a metric's value, where the kind of machine is another."""
ABSOLUTE = 0.02
"""Of a share between 0 and 1, beside that: a few of some hundred samples fall on the other side of a threshold."""
PIXELS = 0.01
"""The share of pixels that may differ where the kind of machine is another."""


class MetricAgreement(BaseModel):
    """A metric as it was submitted and as it was computed here; None where a side has no value."""

    model_config = ConfigDict(frozen=True)

    run: str
    label: str
    seed_index: int
    metric: str
    title: str
    submitted: float | None
    here: float | None
    allowed: float

    @property
    def same(self) -> bool:
        return self.submitted == self.here

    @property
    def agrees(self) -> bool:
        if self.submitted is None or self.here is None:
            return self.same
        return abs(self.submitted - self.here) <= self.allowed

    def __str__(self) -> str:
        said = "none" if self.submitted is None else f"{self.submitted:.6g}"
        found = "none" if self.here is None else f"{self.here:.6g}"
        if self.submitted is None or self.here is None:
            return f"{self.title} of {self.label}, seed {self.seed_index}: submitted is {said}, here it is {found}"
        apart = f"{abs(self.submitted - self.here):.3g} apart, {self.allowed:.3g} allowed"
        return (
            f"{self.title} of {self.label}, seed {self.seed_index}: submitted is {said}, here it is {found} ({apart})"
        )


def other_kind(submitted: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Say in what a machine is of another kind than one that a record was made on; nothing where it is of the same."""
    return [
        f"{name} {submitted.get(name)} there, {here.get(name)} here"
        for name in KIND
        if submitted.get(name) != here.get(name)
    ]


def compare_scores(
    submitted: ScoreRecord, here: ScoreRecord, label: str, seed_index: int
) -> tuple[list[MetricAgreement], list[str]]:
    """Return every metric on both sides, also at the points of the curve, and in what the machines differ."""
    other = other_kind(submitted.provenance, here.provenance)

    def agreement(name: str, title: str, ours: float | None, theirs: float | None, share: bool) -> MetricAgreement:
        allowed = (RELATIVE * abs(theirs or 0) + (ABSOLUTE if share else 0)) if other else 0.0
        return MetricAgreement(run=submitted.run, label=label, seed_index=seed_index, metric=name, title=title,
                               submitted=theirs, here=ours, allowed=allowed)  # fmt: skip

    found = []
    for name, info in here.metric_info.items():
        ours, theirs = here.metrics.get(name), submitted.metrics.get(name)
        if ours is not None or theirs is not None:
            share = info.low == 0 and info.high == 1
            values = (ours.value if ours is not None else None, theirs.value if theirs is not None else None)
            found.append(agreement(name, info.title, *values, share))
    points = {(point.images, point.samples_sha256): point for point in here.curve}
    for point in submitted.curve:
        again = points.get((point.images, point.samples_sha256))
        for name, info in here.metric_info.items():
            if again is not None and (name in point.metrics or name in again.metrics):
                title, share = f"{info.title} after {point.images:,} images", info.low == 0 and info.high == 1
                found.append(agreement(name, title, again.metrics.get(name), point.metrics.get(name), share))
    return found, other


def differing_pixels(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the share of values that differ between two arrays of samples; 1 where their shapes or types do."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return 1.0
    if np.issubdtype(a.dtype, np.floating):  # points are not rounded
        return float(np.mean(~np.isclose(a, b, rtol=1e-4, atol=1e-5)))
    return float(np.mean(a != b))
