"""What the executor knows of a trial that runs: what it said last, and when its silence is too long."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganbench.budget import Budget
from ganbench.engines.base import Event
from ganbench.store.run_spec import Job
from ganbench.training.failures import out_of_memory_kills

MULTIPLE = 10
"""How many times its whole budget a trial may be silent, at least `LEAST` seconds, at most what `--timeout` says."""
LEAST = 60.0
LOG_BYTES, LOG_KEPT = 2**20, 2**18
"""A log longer than the first is cut down to its last part."""


@dataclass
class Watch:
    """One trial in work: its process, once the starter has come to it, and its news."""

    job: Job
    pid: int = 0
    phase: str = "starting"
    share: float = 0.0
    images: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    heard: float = field(default_factory=time.monotonic)
    ending: str = ""
    """Why it is being ended, empty where it is not."""
    told_to_end: float = 0.0
    kills_before: int = field(default_factory=out_of_memory_kills)

    def begin(self, pid: int) -> None:
        """Take in that its process is there: from now on it may be too silent."""
        self.pid, self.heard = pid, time.monotonic()

    def hear(self, news: dict[str, Any]) -> Event | None:
        """Take in what the worker said, and return what is to be shown of it."""
        self.heard = time.monotonic()
        if "point" in news:
            self.curve.append(news["point"])
            return None
        self.provenance = news.get("provenance", self.provenance)
        shown = {name: news[name] for name in ("phase", "share", "images", "seconds", "losses") if name in news}
        if not shown:
            return None
        self.phase = shown.setdefault("phase", "training")
        self.share, self.images = shown.get("share", self.share), shown.get("images", self.images)
        self.seconds = shown.get("seconds", self.seconds)
        return Event(self.job.trial, **shown)

    def patience(self, timeout: float) -> float:
        """Return the seconds that the trial may be silent for.

        That is `MULTIPLE` times what its whole budget takes, by its clock or at its pace so far, but never more than
        `timeout`; and `timeout` where that is not known, or not what it is at.
        """
        if self.phase not in ("starting", "loading", "building", "training", "finishing"):
            return timeout
        whole = Budget.parse(self.job.trial.track.protocol.budget).seconds
        if whole is None and self.share > 0:
            whole = self.seconds / self.share
        return timeout if whole is None else min(timeout, max(LEAST, MULTIPLE * whole))

    def cut_log(self) -> None:
        """Cut a log that has become too long down to its end.

        The trial may print meanwhile, and appends: its end moves to the front in place, and what has come by then
        moves after it, so that lines stay in order.
        """
        path = Path(self.job.folder, "log.txt")
        with contextlib.suppress(OSError):
            size = path.stat().st_size
            if size <= LOG_BYTES:
                return
            note, start = f"[{size - LOG_KEPT:,} bytes left out]\n".encode(), size - LOG_KEPT
            with open(path, "r+b", buffering=0) as log:
                os.pwrite(log.fileno(), note, 0)
                moved = len(note)
                while moved < LOG_BYTES and (late := os.pread(log.fileno(), LOG_KEPT, start)):
                    moved += os.pwrite(log.fileno(), late, moved)
                    start += len(late)
                log.truncate(moved)
