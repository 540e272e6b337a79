"""Where trials run: the protocol that local processes follow, and that an engine for clusters can follow too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ganbench.store.run_record import Record
from ganbench.store.run_spec import Job, Trial

WAITING = "waiting for another run that is at it"
"""The phase of a trial that another process holds the lock of."""


@dataclass(frozen=True)
class Event:
    """News of one trial: it started, it got on (`share` of its budget, losses, ...), or it ended (`record`)."""

    trial: Trial
    record: Record | None = None
    phase: str = "training"
    share: float = 0.0
    images: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)


class Engine(Protocol):
    def run(self, jobs: list[Job]) -> Iterator[Event]:
        """Do the jobs, each in its folder, and yield events until the last has ended.

        Closing the iterator ends the trials that still run, so that they can go on another time; those that ended
        keep their records.
        """
        ...
