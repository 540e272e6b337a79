"""What a row must say of its samples beside its scores: copies, images that only the scorer has, an extractor deceived.

A flag ranks nothing and removes nothing: it tells a reader what to look at. Its thresholds lie between what honest runs
show and what the cheats show, which `benchmarks/cheats.py` measures; docs/cheats.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ganbench.metric import HEADLINE

if TYPE_CHECKING:
    from ganbench.boards.aggregate import Row
    from ganbench.boards.estimate import Estimate

COPIES = "copies training images"
LEAKS = "shows images that it is compared with"
DUPLICATES = 0.15
"""Of samples that copy nothing 0.01 are called near-copies, and up to 0.07 of a mixture of Gaussians that has a
component for every few images; of copies that are turned, stretched, shifted and noisy at least 0.37."""
CLOSE = 0.1
"""Of the floor's FID: a model below it has an extractor that takes its samples for something like real images."""
DECADES = 0.4
"""What the spectrum of such samples may be off by."""
DISAGREEMENT = 2.5
"""How much larger a part of the floor's FID another extractor may find than the track's own does."""


def flags(row: Row, ceiling: Row | None, floor: Row | None) -> Iterator[str]:
    """Yield what a model's row is flagged for, in words; nothing for a baseline."""
    if row.role != "model":
        return
    if (share := _mean(row, "duplicates")) is not None and share > DUPLICATES:
        yield f"{COPIES}: {share:.0%} of its samples are near-copies of one"
    elif _lacks_authenticity(row, ceiling, floor):
        yield COPIES
    if (share := _mean(row, "leaks")) is not None and share > DUPLICATES:
        yield f"{LEAKS}: {share:.0%} of its samples are near-copies of one"
    if _is_better_than_real(row.headline, ceiling.headline if ceiling else None):
        yield "scores better than real images do"
    if floor is not None:
        yield from _fitted(row, floor)


def _lacks_authenticity(row: Row, ceiling: Row | None, floor: Row | None) -> bool:
    """Tell whether a model is less than half as authentic as real images, even at the top of its interval.

    Where there is no interval the mean decides: the flag is a caution and ranks nothing. A model that is nearer
    to noise than to real images copies nothing, whatever its authenticity: blots that lie far from all digits have
    an outlier for nearest training image.
    """
    own, real = row.metrics.get("authenticity"), ceiling.metrics.get("authenticity") if ceiling else None
    if own is None or real is None:
        return False
    if floor is not None and row.headline and floor.headline and row.headline.mean > floor.headline.mean / 2:
        return False
    return (own.mean if own.high is None else own.high) < real.mean / 2


def _is_better_than_real(own: Estimate | None, real: Estimate | None) -> bool:
    """Tell whether a row's whole interval lies below that of unseen real images; False where one has none."""
    return bool(own and real and own.high is not None and real.low is not None and own.high < real.low)


def _fitted(row: Row, floor: Row) -> Iterator[str]:
    """Yield what tells samples that were fitted to the track's extractor: noise to everyone but it."""
    name = HEADLINE.name
    part = _part(row, floor, name)
    if part is None:
        return
    fid, off = _mean(row, name), _mean(row, "spectrum")
    if part < CLOSE and off is not None and off > DECADES:
        yield (
            f"may be fitted to the extractor: {HEADLINE.title} {fid:.3g}, and the spectrum of its pixels is off by a "
            f"factor of {10**off:.3g}"
        )
    for column in row.metrics:
        base, _, extractor = column.partition("@")
        other = _part(row, floor, column) if base == name and extractor else None
        if other is not None and other > DISAGREEMENT * part:
            yield (
                f"may be fitted to the extractor: {HEADLINE.title} {fid:.3g} is {part:.1%} of that of noise, and "
                f"{other:.1%} under {extractor}"
            )


def _part(row: Row, floor: Row, column: str) -> float | None:
    """Return a row's mean over the floor's; None where one is unknown, or the floor's is 0."""
    own, least = _mean(row, column), _mean(floor, column)
    return own / least if own is not None and least else None


def _mean(row: Row, column: str) -> float | None:
    found = row.metrics.get(column)
    return None if found is None else found.mean
