"""All checks of a subject in worker processes: one that ends its process, or never returns, is told like any other."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ganbench.engine import Ended, Task
from ganbench.experiment.engine import make_engine
from ganbench.store.run_spec import RuntimeConfig
from ganbench.testing.check import Outcome
from ganbench.testing.subjects import Subject
from ganbench.testing.worker import ENTRY
from ganbench.util.text import one_line

LONGEST = 300.0
"""Seconds that one check may take."""


def examine(subject: Subject, spec: str, kind: str | None = None, *, longest: float = LONGEST) -> Iterator[Outcome]:
    """Yield the outcome of each check of a subject that `find` returned for `spec` and `kind`."""
    done, runtime = list[str](), RuntimeConfig(device="cpu", threads=1)

    def task() -> Task:
        payload = {"spec": spec, "kind": kind, "of": subject.kind, "name": subject.name, "done": list(done)}
        return Task(name=f"check {len(done)}", entry=ENTRY, payload=payload, log=Path(folder, f"{len(done)}.txt"))

    with tempfile.TemporaryDirectory() as folder, make_engine(1, runtime, longest) as engine:
        engine.submit(task())
        for news in engine.events():
            if not isinstance(news, Ended):
                if "check" in news.data:
                    done.append(news.data["check"])
                    yield Outcome(news.data["check"], news.data["took"], news.data["failure"])
            elif news.code:
                begun = news.last.data.get("begun") or "can_be_loaded"
                yield Outcome(begun, 0.0, f"{subject.name}: {_reason(news)}")
                if begun in done or begun == "can_be_loaded":
                    return
                done.append(begun)
                engine.submit(task())


def _reason(end: Ended) -> str:
    """Say how a worker ended."""
    if end.stalled:
        return end.stalled
    how = f"with status {end.code}" if end.code > 0 else f"by {signal.Signals(-end.code).name}"
    lines = end.log.strip().splitlines()
    return f"ended its process {how}" + (f": {one_line(lines[-1], 200)}" if lines else "")
