"""Which engine does the work, on which devices, and what it is made from."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganbench.budget import Budget
from ganbench.engine import Engine, EngineRequest, EngineSource
from ganbench.engines.local import LocalEngine
from ganbench.errors import RequestError, did_you_mean
from ganbench.experiment.preload import PRELOAD
from ganbench.registry.builtin_engines import LOCAL
from ganbench.registry.registry import Registry
from ganbench.store.run_spec import RuntimeConfig
from ganbench.util.device import device_kind, pick_devices, share_out, worker_device
from ganbench.util.resources import Resources, read_resources, resources_of

STALL_TIMEOUT = 600.0
_WRITTEN = re.compile(r"(?P<name>[^\[\]]+?)\s*(?:\[(?P<options>.*)\])?", re.DOTALL)


@dataclass(frozen=True)
class EngineChoice:
    """What ``--engine``, ``--device``, ``--jobs``, ``--threads`` and ``--per-run`` ask for.

    `devices` are what runs share; `jobs` is None where the engine decides how many run at a time.
    """

    source: EngineSource = LOCAL
    options: Mapping[str, str] = field(default_factory=dict)
    per_run: Resources = Resources()
    devices: tuple[str, ...] = ("cpu",)
    jobs: int | None = 1
    threads: int = 1

    @property
    def device(self) -> str:
        """What a worker calls its device."""
        return worker_device(list(self.devices))

    @property
    def kind(self) -> str:
        """The kind of device: what a run under a time budget depends on."""
        return device_kind(self.devices[0]) if self.source.local else self.device.partition(":")[0]

    def resources(self, declared: Mapping[str, Any], where: str = "resources") -> Resources:
        """Return what a run is given of a node: as ``--per-run`` says, else as its model declares, else a core."""
        gpus = 1.0 if self.device.startswith("cuda") else 0.0
        found = self.per_run.over(resources_of(declared, where)).over(Resources(float(self.threads), gpus))
        return found if gpus else Resources(found.cpus, 0.0, found.memory)

    def check_timed(self, budget: Budget) -> None:
        """Raise `RequestError` where runs of a time budget would share a GPU, or have GPUs of several kinds."""
        if budget.seconds is None or self.device == "cpu":
            return
        if not self.source.local:
            raise RequestError(
                f"--engine {self.source.name}: a budget of time on GPUs needs GPUs of one kind, and those of a cluster "
                "are not known before runs start: use a budget of images or updates, or --engine local"
            )
        if self.jobs is not None and self.jobs > len(self.devices):
            raise RequestError(
                f"--jobs {self.jobs}: under a time budget every run needs a GPU of its own: "
                f"--jobs {len(self.devices)} at the most"
            )
        if len(kinds := {device_kind(device) for device in self.devices}) > 1:
            raise RequestError(f"--device: under a time budget GPUs must be of one kind, and these are {sorted(kinds)}")

    def make(self, jobs: int | None, runtime: RuntimeConfig, store: Path, stall_timeout: float) -> Engine:
        """Return the engine; it runs `jobs` tasks at a time."""
        return self.source.make(
            EngineRequest(
                jobs, runtime.threads, store.absolute(), deterministic=runtime.deterministic,
                stall_timeout=stall_timeout, devices=self.devices, preload=PRELOAD, options=self.options,
            )
        )  # fmt: skip


def choose_engine(
    engine: str, registry: Registry, *, device: str = "auto", jobs: int | None = None, threads: int | None = None,
    per_run: str | None = None, options: Mapping[str, str | None] | None = None,
) -> EngineChoice:  # fmt: skip
    """Read what a request says of engines and devices; raise `RequestError` where that cannot be had.

    `engine` is a name, with options in brackets as in ``slurm[partition=gpu]``; `options` are others of the engine's,
    by name, None for those that are not given.
    """
    source, given = _named(engine, registry)
    for name, value in (options or {}).items():
        if value is None:
            continue
        if name not in source.options:
            raise RequestError(f"--{name} {value}: the engine {source.name!r} has no such option{_engines(source)}")
        given[name] = value
    resources = read_resources(per_run)
    if lacking := source.lacking():
        raise RequestError(f"--engine {source.name}: {lacking}")
    if source.local:
        if per_run is not None:
            raise RequestError(
                f"--per-run {per_run}: applies to clusters; use --threads and --device with --engine local"
            )
        devices = tuple(pick_devices(device))
        counted, threads = share_out(jobs, threads, devices[0], len(devices))
        return EngineChoice(source, given, resources, devices, counted, threads)
    devices = (_cluster_device(device, source, resources),)
    for option, number in (("--jobs", jobs), ("--threads", threads)):
        if number is not None and number < 1:
            raise RequestError(f"{option} {number}: at least 1")
    cpus = int(resources.cpus or 1)
    if threads is not None and resources.cpus is not None and threads > cpus:
        raise RequestError(f"--threads {threads}: more than the {cpus} cores of --per-run")
    return EngineChoice(source, given, resources, devices, jobs, threads or (1 if devices[0] == "cpu" else cpus))


def make_engine(
    jobs: int, runtime: RuntimeConfig, stall_timeout: float = STALL_TIMEOUT, *,
    environment: Mapping[str, str] | None = None, network: bool = True,
) -> LocalEngine:  # fmt: skip
    """Return an engine of this machine's processes with another environment; see `LocalEngine`."""
    return LocalEngine(
        jobs, stall_timeout=stall_timeout, threads=runtime.threads, deterministic=runtime.deterministic,
        spawn=sys.platform == "darwin", preload=PRELOAD, environment=environment, network=network,
    )  # fmt: skip


def _named(text: str, registry: Registry) -> tuple[EngineSource, dict[str, str]]:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise RequestError(f"--engine {text!r}: write name or name[option=value,...]")
    try:
        source: EngineSource = registry.get("engines", match["name"]).thing
    except RequestError as error:
        raise RequestError(f"--engine: {error}; `ganbench engines` lists them") from error
    given = {}
    for part in filter(None, (match["options"] or "").split(",")):
        name, equals, value = part.partition("=")
        if not equals or name.strip() not in source.options:
            hint = did_you_mean(name.strip(), source.options) if equals else ""
            raise RequestError(f"--engine {text!r}: {part.strip()!r} is not option=value{hint}{_engines(source)}")
        given[name.strip()] = value.strip()
    return source, given


def _engines(source: EngineSource) -> str:
    return f": it has {', '.join(source.options)}" if source.options else ""


def _cluster_device(device: str, source: EngineSource, resources: Resources) -> str:
    """Return the device of runs on a cluster: the CPU unless GPUs are asked for."""
    if device not in ("auto", "cpu", "cuda"):
        raise RequestError(f"--device {device}: the engine {source.name!r} gives out GPUs itself: write cpu or cuda")
    if device == "cpu" and resources.gpus:
        raise RequestError(f"--device cpu: --per-run asks for {resources.gpus:g} GPUs")
    if device == "cuda" and resources.gpus == 0:
        raise RequestError("--device cuda: --per-run asks for no GPU")
    return "cuda:0" if device == "cuda" or resources.gpus else "cpu"
