"""The record of a run: one JSON file, never edited. It holds no score: those lie beside it.

A training worker writes it as the run ends, and of a good run once more before it lets go of it, with `flops`.
"""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ganbench.store.run_spec import RunSpec
from ganbench.store.samples import SampleFile
from ganbench.util.atomic_io import write_bytes
from ganbench.util.checked_json import decode, encode

SCHEMA = 4


class RunStatus(enum.StrEnum):
    """How a run ended; everything but ``ok`` is a row that says why."""

    OK = "ok"
    FAILED = "failed"
    OOM = "oom"
    TIMEOUT = "timeout"
    DIVERGED = "diverged"
    KILLED = "killed"


class CurvePoint(BaseModel):
    """Where training stood at one share of the budget: mean losses since the point before, and samples drawn there."""

    model_config = ConfigDict(frozen=True)

    images: int
    steps: int
    seconds: float
    losses: dict[str, float] = {}
    samples: SampleFile | None = None


class RunRecord(BaseModel):
    """The result of training: what was asked for, how it ended, what it cost, and which samples it left."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_version: int = Field(default=SCHEMA, alias="schema")
    key: str
    spec: RunSpec
    status: RunStatus
    reason: str = ""
    log: str = Field(default="", description="the last lines that the run printed, where it did not end well")
    samples: SampleFile | None = Field(default=None, description="the final samples")
    curve: list[CurvePoint] = []
    seconds: dict[str, float] = Field(default={}, description="by phase: load, train, checkpoint, sample, total")
    images: int = 0
    steps: int = 0
    parameters: int = 0
    images_per_second: float = 0.0
    processor_share: float | None = Field(
        default=None, ge=0, allow_inf_nan=False,
        description="processor seconds in a second of training: 1 where a single thread had a core for itself",
    )  # fmt: skip
    peak_memory_bytes: int = Field(default=0, description="of training alone")
    flops: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="of all steps, a multiply-add as 2, as torch counts them (ganbench.training.flops); `finish` not",
    )
    resumed: list[int] = Field(default=[], description="images seen where training went on from a checkpoint")
    files: dict[str, str] = Field(default={}, description="sha256 of the checkpoint and of other files beside this one")
    flags: list[str] = Field(default=[], description="what a reader must know of how samples came about")
    provenance: dict[str, Any] = {}

    def write(self, path: Path, *, spare: Path | None = None) -> None:
        """Write the record with its checksum; into the room of a `spare` file where there is one."""
        write_bytes(path, encode(self.model_dump(mode="json", by_alias=True)), spare=spare)

    @property
    def row(self) -> tuple[str, str]:
        """What seeds are averaged over: label and source."""
        return self.spec.model_info.label, self.spec.model_info.source


def ended(spec: RunSpec, status: RunStatus, reason: str = "", **found: Any) -> RunRecord:
    """Return the record of a run; `found` are the record's other fields, as far as they are known."""
    return RunRecord(key=spec.key, spec=spec, status=status, reason=reason, **found)


def read_run(path: Path) -> RunRecord:
    """Read a ``run.json``; a damaged, edited, foreign or outdated file is a `RequestError` that names it."""
    return decode(path, RunRecord, "record", SCHEMA)
