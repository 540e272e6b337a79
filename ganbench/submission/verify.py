"""Verify a bundle, step by step: what it says of itself, its scores, its samples, and its code trained anew."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

import ganbench
from ganbench.errors import RequestError
from ganbench.experiment.protocols import Protocols, resolve
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.store.locks import check_lockable
from ganbench.submission.agreement import MetricAgreement
from ganbench.submission.bundle import Bundle, open_bundle
from ganbench.submission.environment import differences, read_lock
from ganbench.submission.keys import check_keys
from ganbench.submission.manifest import LOCK, MANIFEST, RUNS, BundledRun, BundledTrack
from ganbench.submission.resample import resample
from ganbench.submission.rescore import rescore
from ganbench.submission.retrain import Retrained, check_seeds, retrain
from ganbench.submission.workplace import Workplace
from ganbench.tracks.track import NAME
from ganbench.util.atomic_io import check_writable
from ganbench.util.device import device_kind, pick_device

Level = Literal["keys", "rescore", "resample", "retrain"]
LEVELS: tuple[Level, ...] = get_args(Level)
MOST_SAID = 12
"""Differences that a step tells one by one."""


@dataclass(frozen=True)
class Request:
    """What an editor asks for; the options of ``ganbench verify``."""

    bundle: Path
    level: Level = "rescore"
    seeds: str = "3"
    track: str | None = None
    budget: str | None = None
    runs: Path = Path("verified")
    data_dir: Path | None = None
    weights: Path | None = None
    jobs: int | None = None
    allow_network: bool = False
    command: tuple[str, ...] = ()


class Step(BaseModel):
    """One step: `ok` tells whether nothing differs; `said` are its findings, `problems` what differs."""

    model_config = ConfigDict(frozen=True)

    level: Level
    what: str
    ok: bool
    seconds: float
    said: list[str]
    problems: list[str]


class Verified(BaseModel):
    """The result of a verification; ``--json`` writes it. `reached` is the last level of which every step was good."""

    model_config = ConfigDict(frozen=True)

    format: Literal["ganbench verification 1"] = "ganbench verification 1"
    bundle: str
    sha256: str
    size: int
    track: BundledTrack
    runs: list[BundledRun]
    level: Level
    reached: Level | None
    verified: bool
    network: str
    environment: list[str]
    steps: list[Step]
    metrics: list[MetricAgreement]
    retrained: Retrained | None
    date: str
    ganbench: str
    command: list[str]


def verify(
    request: Request, registry: Registry, on_step: Callable[[Step], None] = lambda step: None,
    on_progress: Callable[[str], None] = lambda text: None,
) -> tuple[Verified, Workplace]:  # fmt: skip
    """Verify a bundle up to a level; return the result, and where the unpacked bundle lies.

    It ends at the first step that finds a difference. Raises `RequestError` for what is no bundle or not a safe one,
    for a wrong option, and where a step cannot be done on this machine.
    """
    bundle = open_bundle(request.bundle)
    protocols = _protocols(request, bundle, registry)
    seeds = check_seeds(request.seeds, bundle) if request.level == "retrain" else []
    check_writable(request.runs, "--runs")
    check_lockable(request.runs)
    work = Workplace(
        folder=request.runs / bundle.sha256[:16], manifest=bundle.manifest, protocols=protocols, registry=registry,
        weights=request.weights, jobs=request.jobs, allow_network=request.allow_network, command=list(request.command),
        on_progress=on_progress,
    )  # fmt: skip
    steps, metrics, retrained, environment = list[Step](), list[MetricAgreement](), None, list[str]()
    with work:
        for level in LEVELS[: LEVELS.index(request.level) + 1]:
            with _timed(level, steps, on_step) as found:
                if level == "keys":
                    found.problems += _keys(bundle, work)
                    if not found.problems:
                        environment = differences(
                            read_lock((work.folder / "bundle" / LOCK).read_text(errors="replace"))
                        )
                        found.said += _summary(bundle, environment)
                elif level == "rescore":
                    rescored = rescore(work)
                    metrics = rescored.metrics
                    found.take(rescored.notes, rescored.problems)
                elif level == "resample":
                    resampled = resample(work)
                    found.take([*resampled.notes, f"network: {work.network}"], resampled.problems)
                else:
                    retrained = retrain(work, seeds)
                    found.take([*retrained.notes, f"network: {work.network}"], retrained.problems)
            if not steps[-1].ok:
                break
    good = [step.level for step in steps if step.ok]
    return Verified(
        bundle=bundle.path.name, sha256=bundle.sha256, size=bundle.size, track=bundle.manifest.track,
        runs=bundle.manifest.runs, level=request.level, reached=good[-1] if good else None,
        verified=bool(good) and good[-1] == request.level, network=work.network, environment=environment, steps=steps,
        metrics=metrics, retrained=retrained,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), ganbench=ganbench.__version__,
        command=list(request.command),
    ), work  # fmt: skip


def _protocols(request: Request, bundle: Bundle, registry: Registry) -> Protocols:
    """Return the track that the bundle is to be of: the one asked for, else the one that it says."""
    said = bundle.manifest.track
    if request.track is not None:
        track = find_track(request.track, registry).with_budget(request.budget)
    elif not registry.has("tracks", said.name):
        raise RequestError(f"{bundle.path}: is of track {said.name!r}, which is not known here: give its file, --track")
    else:
        track = (
            find_track(said.name, registry).with_budget(request.budget or said.budget).with_precision(said.precision)
        )
    kind = device_kind(pick_device("auto"))
    return resolve(track, registry, data_dir=request.data_dir, weights=request.weights, device_kind=kind)


class _Findings:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.problems: list[str] = []

    def take(self, said: list[str], problems: list[str]) -> None:
        self.said += said
        self.problems += problems


WHAT = {
    "keys": "members, records, keys, seeds and code",
    "rescore": "the samples scored again",
    "resample": "the samples drawn again from the checkpoints",
    "retrain": "the code trained again",
}


@contextmanager
def _timed(level: Level, steps: list[Step], on_step: Callable[[Step], None]) -> Iterator[_Findings]:
    start, found = time.perf_counter(), _Findings()
    yield found
    step = Step(level=level, what=WHAT[level], ok=not found.problems, seconds=time.perf_counter() - start,
                said=found.said, problems=found.problems)  # fmt: skip
    steps.append(step)
    on_step(step)


def _keys(bundle: Bundle, work: Workplace) -> list[str]:
    problems = list(bundle.differences())
    problems += [f"{MANIFEST}: run {run.key!r}: is no key of a run" for run in bundle.manifest.runs
                 if not NAME.fullmatch(run.key)]  # fmt: skip
    if not bundle.manifest.runs:
        problems.append(f"{MANIFEST}: it names no run")
    if problems:
        return problems
    folder = work.folder / "bundle"
    bundle.unpack(folder)
    problems += list(check_keys(bundle.manifest, folder, work.protocols, work.registry))
    stray = set(work.store.keys()) - {run.key for run in bundle.manifest.runs}
    return problems + [f"{RUNS}/{key}: is not in the manifest" for key in sorted(stray)]


def _summary(bundle: Bundle, environment: list[str]) -> list[str]:
    models = ", ".join(dict.fromkeys(run.label for run in bundle.manifest.runs))
    said = [f"{len(bundle.manifest.members)} members, {len(bundle.manifest.runs)} runs of {models}"]
    if environment:
        said.append(f"{len(environment)} of the packages that were installed there are not, or otherwise, here")
    return said
