"""Checks that an author runs against a model, a metric, a data set, an extractor or a track of their own.

    from ganbench.testing import check_model
    check_model(Tiny)                             # raises AssertionError, with a line for each rule that is broken

or, one test a rule: ``@pytest.mark.parametrize("check", MODEL_CHECKS)`` and ``check(Tiny, shape=(3, 8, 12))``. Images
that are small and not square are checked sooner, and find more. ``pytest --ganbench NAME`` does the same without a line
of code, and ``ganbench check NAME`` on the command line. Names are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "CHECKS": "checks", "MODEL_CHECKS": "checks", "check_model": "checks",
    "METRIC_CHECKS": "metric_checks", "check_metric": "metric_checks",
    "DATASET_CHECKS": "dataset_checks", "check_dataset": "dataset_checks",
    "EXTRACTOR_CHECKS": "extractor_checks", "check_extractor": "extractor_checks",
    "TRACK_CHECKS": "track_checks", "check_track": "track_checks",
}  # fmt: skip

__all__ = [
    "CHECKS", "DATASET_CHECKS", "EXTRACTOR_CHECKS", "METRIC_CHECKS", "MODEL_CHECKS", "TRACK_CHECKS",
    "check_dataset", "check_extractor", "check_metric", "check_model", "check_track",
]  # fmt: skip

if TYPE_CHECKING:
    from ganbench.testing.checks import CHECKS, MODEL_CHECKS, check_model
    from ganbench.testing.dataset_checks import DATASET_CHECKS, check_dataset
    from ganbench.testing.extractor_checks import EXTRACTOR_CHECKS, check_extractor
    from ganbench.testing.metric_checks import METRIC_CHECKS, check_metric
    from ganbench.testing.track_checks import TRACK_CHECKS, check_track


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"ganbench.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ganbench.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
