"""The record of a trial: one JSON file, written once, never edited."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.errors import RequestError
from ganbench.files import write_text
from ganbench.scores import Facts, Score
from ganbench.tracks.track import Track

SCHEMA = 2


class Status(enum.StrEnum):
    """How a trial ended; everything but ``ok`` is a row that says why."""

    OK = "ok"
    FAILED = "failed"
    OOM = "oom"
    TIMEOUT = "timeout"
    DIVERGED = "diverged"
    KILLED = "killed"


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
    """The protocol, the hashes and facts of what it names, and the fingerprint that two records must share."""

    model_config = ConfigDict(frozen=True)

    protocol: Track
    dataset_sha256: str
    extractor_sha256: str
    metrics: tuple[Facts, ...] = Field(description="in the order of columns")
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
    absent: dict[str, str] = Field(default={}, description="metrics of the track that have no value here, and why")
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
    """Read and validate a record; a damaged, foreign or outdated file is a `RequestError` that names it."""
    try:
        content = path.read_bytes()
        schema = _schema(content)
        if schema is not None and schema != SCHEMA:
            raise RequestError(f"record {path}: schema {schema}, and this ganbench reads {SCHEMA}")
        return Record.model_validate_json(content)
    except OSError as error:
        raise RequestError(f"record {path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(
            f"record {path}: damaged or foreign ({where + ': ' if where else ''}{first['msg']})"
        ) from error


def _schema(content: bytes) -> int | None:
    try:
        found = json.loads(content)["schema"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None
