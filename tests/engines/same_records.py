"""Whether an engine leaves the same runs as processes of this machine do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganbench.store.run_record import RunRecord
from ganbench.store.store import Store

RECORD = ("spec", "status", "samples", "curve", "images", "steps", "parameters", "flags", "flops")
"""What does not depend on the clock, nor on where a run was trained."""


def check_same_runs(here: Path, there: Path) -> None:
    """Compare two stores, run by run: what was trained, its samples and its scores, to the last digit."""
    mine, theirs = ({run.key: run for run in Store(runs).records()} for runs in (here, there))
    assert mine and set(mine) == set(theirs)
    for key, run in mine.items():
        other = theirs[key]
        assert run.record is not None and other.record is not None
        assert _decisive(run.record) == _decisive(other.record), key
        assert run.scores and len(run.scores) == len(other.scores)
        for a, b in zip(run.scores, other.scores, strict=True):
            assert a.metrics == b.metrics, key
        assert not run.problems and not other.problems


def _decisive(record: RunRecord) -> dict[str, Any]:
    found = {name: value for name, value in record.model_dump().items() if name in RECORD}
    return found | {"curve": [point.model_dump(exclude={"seconds"}) for point in record.curve]}
