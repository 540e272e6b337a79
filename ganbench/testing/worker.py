"""A worker that checks one thing in a process of its own, and tells each outcome as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ganbench.testing.check import outcomes
from ganbench.testing.subjects import find

ENTRY = f"{__name__}:work"


def work(payload: dict[str, Any], emit: Callable[..., None], began: float) -> int:
    """Apply the checks of a subject but those in `done`; emit ``begun=CHECK`` and then ``check, took, failure``."""
    torch.set_num_threads(1)
    emit(phase="loading", begun="")
    found = find(payload["spec"], payload["kind"]).subjects
    subject = next(each for each in found if (each.kind, each.name) == (payload["of"], payload["name"]))
    checks, case = subject.suite()
    for check in checks:
        if check.name not in payload["done"]:
            emit(phase=check.name, begun=check.name)
            for outcome in outcomes([check], case):
                emit(phase=check.name, check=outcome.check, took=outcome.seconds, failure=outcome.failure)
    return 0
