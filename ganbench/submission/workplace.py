"""What the steps of a verification share: the unpacked bundle, the track, and two kinds of workers.

The referee's workers score, and run no code of a bundle. The contestant's run it, without network (`confined`), in a
process tree of their own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ganbench.engine import Ended, Engine, Event, Task
from ganbench.engines.local import LocalEngine
from ganbench.experiment.engine import make_engine
from ganbench.experiment.protocols import Protocols, ScorePlan
from ganbench.registry.registry import Registry
from ganbench.scoring import worker as scoring_worker
from ganbench.scoring.job import ScoreJob
from ganbench.store.layout import ANSWERS, RUN
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import RuntimeConfig
from ganbench.store.store import Store
from ganbench.submission.code import lay_out
from ganbench.submission.confined import check_network, confined_engine
from ganbench.submission.manifest import RUNS, Manifest
from ganbench.util.device import pick_device, share_out


@dataclass
class Workplace:
    """A folder in which a bundle is verified; use as a context manager, which ends all workers."""

    folder: Path
    manifest: Manifest
    protocols: Protocols
    registry: Registry
    weights: Path | None = None
    jobs: int | None = None
    allow_network: bool = False
    command: list[str] = field(default_factory=list)
    on_progress: Callable[[str], None] = lambda text: None
    network: str = "not needed: no submitted code was run"
    _stack: ExitStack = field(default_factory=ExitStack)
    _engines: dict[tuple[str, int, str, bool], LocalEngine] = field(default_factory=dict)

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    @property
    def store(self) -> Store:
        """The runs of the bundle, unpacked."""
        return Store(self.folder / "bundle" / RUNS)

    @cached_property
    def records(self) -> list[RunRecord]:
        """The bundle's records, which the first step has checked."""
        found = [self.store.read(run.key) for run in self.manifest.runs]
        return [record for record in found if record is not None]

    @property
    def finished(self) -> list[RunRecord]:
        return [record for record in self.records if record.status is RunStatus.OK]

    def runtime(self, record: RunRecord) -> RuntimeConfig:
        """Return how a run is trained and sampled here: on the kind of device, with the threads, of its record."""
        known = record.provenance
        device = pick_device("cpu" if known.get("device") == "cpu" else "auto")
        threads = known.get("threads")
        _, threads = share_out(1, threads if isinstance(threads, int) and 0 < threads <= 256 else None, device)
        return RuntimeConfig(
            device=device, threads=threads, deterministic=known.get("deterministic") is True, command=self.command
        )

    @cached_property
    def places(self) -> dict[tuple[str, str], str]:
        """Where submitted code is found by the contestant's workers: import paths by name and source hash."""
        return lay_out(self.manifest.code, self.folder / "bundle", self.folder / "code")

    def place(self, record: RunRecord) -> str:
        """Return the import path of a run's class, as it is here."""
        info = record.spec.model_info
        return self.places[info.name, info.source]

    def referee(self, threads: int) -> LocalEngine:
        """Return the engine that scores."""
        return self._engine("referee", RuntimeConfig(device="cpu", threads=threads))

    def contestant(self, runtime: RuntimeConfig) -> LocalEngine:
        """Return the engine that runs submitted code; raise `RequestError` where the network cannot be blocked."""
        if not self.network.startswith(("blocked", "not blocked")):
            self.network = check_network(allowed=self.allow_network)
        return self._engine("contestant", runtime)

    def _engine(self, role: str, runtime: RuntimeConfig) -> LocalEngine:
        key = (role, runtime.threads, runtime.device, runtime.deterministic)
        if key not in self._engines:
            jobs, _ = share_out(self.jobs, runtime.threads, runtime.device)
            engine = (
                make_engine(jobs, runtime)
                if role == "referee"
                else confined_engine(jobs, runtime, self.folder / "code", network=self.network != "blocked")
            )
            self._engines[key] = self._stack.enter_context(engine)
        return self._engines[key]

    def perform(self, engine: Engine, tasks: Iterable[Task]) -> Iterator[Event | Ended]:
        """Let an engine do tasks, and yield what happens."""
        for task in tasks:
            engine.submit(task)
        for happened in engine.events():
            if isinstance(happened, Event):
                self.on_progress(f"{happened.phase} {happened.share:.0%}" if happened.share else happened.phase)
            yield happened

    def score(self, store: Store, keys: Sequence[str], plan: ScorePlan, threads: int, device: str) -> dict[str, str]:
        """Score runs of a store whose samples lie there; return why some could not be, by key."""
        # The name of a data set is whatever a record says: what counts is its content, which is in the plan.
        protocol = plan.protocol.model_copy(update={"dataset": self.protocols.dataset.name})
        job = ScoreJob(
            store=store.root.absolute(), keys=list(keys), protocol=protocol,
            metrics=[each.name for each in plan.metrics], headline=self.protocols.track.headline,
            items=list(plan.items), data_dir=self.protocols.data_dir,
            weights=plan.weights, device=device, threads=threads, command=self.command,
        )  # fmt: skip
        log = store.root / ".scoring" / f"{protocol.key}.txt"
        task = Task(
            name=f"score-{protocol.key}", entry=scoring_worker.ENTRY, payload=job.model_dump(mode="json"), log=log
        )
        refused, left = dict[str, str](), list(keys)
        for happened in self.perform(self.referee(threads), [task]):
            if isinstance(happened, Event):
                for word in ("scored", "refused"):
                    if (key := happened.data.get(word)) in left:
                        left.remove(key)
                        if word == "refused":
                            refused[key] = str(happened.data.get("reason", ""))
            elif left:
                lines = happened.log.strip().splitlines()
                why = happened.stalled or f"the scoring worker ended with status {happened.code}: {lines[-1:]}"
                refused |= dict.fromkeys(left, why)
        return refused


def copy_run(source: Path, target: Path, record: RunRecord, files: Iterable[str] = ()) -> None:
    """Make a folder of a run with its record and files of another, such as its samples; what was there is removed."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    record.write(target / RUN)
    for name in files:
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


def sample_files(folder: Path, record: RunRecord) -> list[str]:
    """Return the files that scoring reads: samples, those on the way, and what the checkpoint answered."""
    samples = [record.samples, *(point.samples for point in record.curve)]
    answers = [f"{ANSWERS}/{path.name}" for path in sorted((folder / ANSWERS).glob("*"))]
    return [*dict.fromkeys(each.file for each in samples if each is not None), *answers]


def scored_with(provenance: dict[str, Any]) -> tuple[int, str]:
    """Return the threads and the device to score with: those of scores that were submitted, where they are here."""
    threads, device = provenance.get("threads"), provenance.get("device")
    threads = threads if isinstance(threads, int) and 0 < threads <= 256 else 1
    return threads, pick_device("cpu" if device in (None, "cpu") else "auto")
