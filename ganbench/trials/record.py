"""The record of a trial: one JSON file, written once, never edited."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.errors import RequestError
from ganbench.files import write_text
from ganbench.tracks.track import Track

SCHEMA = 1


class Status(enum.StrEnum):
    """How a trial ended; everything but ``ok`` is a row that says why."""

    OK = "ok"
    FAILED = "failed"
    OOM = "oom"
    TIMEOUT = "timeout"
    DIVERGED = "diverged"
    KILLED = "killed"


class Score(BaseModel):
    """A metric's value and the number of samples it was computed from."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: float
    n: int


class ModelInfo(BaseModel):
    """Who the model is: enough to find it again and to set it in its place on a board."""

    model_config = ConfigDict(frozen=True)

    name: str
    label: str = Field(description="the name and every hyper-parameter that differs from its default")
    family: str
    role: str
    version: str
    source: str = Field(description="sha256 of the model's source files")
    conditional: bool
    paper: str = ""
    distribution: str = Field(description="the distribution that brought it, with its version, or a file's path")


class TrackInfo(BaseModel):
    """The protocol, the hashes of what it names, and the fingerprint that two records must share."""

    model_config = ConfigDict(frozen=True)

    protocol: Track
    dataset_sha256: str
    extractor_sha256: str
    fingerprint: str


class Record(BaseModel):
    """The result of a trial."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_version: int = Field(default=SCHEMA, alias="schema")
    key: str
    model: str
    about: ModelInfo
    config: dict[str, Any]
    track: TrackInfo
    repetition: int
    seed: int
    status: Status
    reason: str = ""
    metrics: dict[str, Score] = {}
    curve: list[dict[str, float]] = Field(
        default=[], description="one entry a point: images, steps, seconds, n, then metrics and losses by name"
    )
    seconds: dict[str, float] = Field(default={}, description="by phase: load, train, sample, evaluate, total")
    images: int = 0
    steps: int = 0
    parameters: int = 0
    images_per_second: float = 0.0
    peak_memory_bytes: int = 0
    provenance: dict[str, Any] = {}

    def write(self, path: Path) -> None:
        write_text(path, json.dumps(self.model_dump(mode="json", by_alias=True), indent=1) + "\n")

    @property
    def row(self) -> tuple[str, str]:
        """What seeds are averaged over: label and source."""
        return self.about.label, self.about.source


def read_record(path: Path) -> Record:
    """Read and validate a record; a damaged or foreign file is a `RequestError` that names it."""
    try:
        return Record.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RequestError(f"record {path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(
            f"record {path}: damaged or foreign ({where + ': ' if where else ''}{first['msg']})"
        ) from error
