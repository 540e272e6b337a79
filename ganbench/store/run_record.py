"""The record of a trial: one JSON file, written once, never edited."""

from __future__ import annotations

import enum
import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.errors import RequestError
from ganbench.metric import MetricInfo, Score
from ganbench.tracks.track import Track
from ganbench.util.atomic_io import write_text

SCHEMA = 3


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
    sampler: str = Field(default="", description="what samples are decoded from")
    distribution: str = Field(description="the distribution that brought it, with its version, or a file's path")


class TrackInfo(BaseModel):
    """The protocol, the hashes and facts of what it names, and the fingerprint that two records must share."""

    model_config = ConfigDict(frozen=True)

    protocol: Track
    dataset_sha256: str
    extractor_sha256: str
    metrics: tuple[MetricInfo, ...] = Field(description="in the order of columns")
    fingerprint: str

    @property
    def headline(self) -> MetricInfo:
        """The metric that ranks the board."""
        return next(metric for metric in self.metrics if metric.name == self.protocol.headline)


def make_key(about: ModelInfo, config: dict[str, Any], fingerprint: str, seed: int, precision: str) -> str:
    """Return the hash of what decides a result and of nothing else: not order, device count, path or date."""
    decisive = {
        "model": about.name,
        "version": about.version,
        "source": about.source,
        "config": config,
        "track": fingerprint,
        "seed": seed,
    }
    if precision != "fp32":  # float32 is the protocol's own; another format gives other numbers
        decisive["precision"] = precision
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


class Record(BaseModel):
    """The result of a trial.

    On disk it is sealed: `seal`, the SHA-256 of all the rest, tells a record that was edited from one that was written.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_version: int = Field(default=SCHEMA, alias="schema")
    key: str
    model: str
    about: ModelInfo
    address: str = Field(description="where the class was found: module:Class or /path/file.py:Class")
    config: dict[str, Any]
    track: TrackInfo
    repetition: int
    seed: int
    precision: str
    status: Status
    reason: str = ""
    log: str = Field(default="", description="the last lines that the trial printed, where it did not end well")
    metrics: dict[str, Score] = {}
    absent: dict[str, str] = Field(default={}, description="metrics of the track that have no value here, and why")
    curve: list[dict[str, float]] = Field(
        default=[], description="one entry a point: images, steps, seconds, n, then metrics and losses by name"
    )
    seconds: dict[str, float] = Field(
        default={}, description="by phase: load, train, checkpoint, sample, evaluate, total"
    )
    images: int = 0
    steps: int = 0
    parameters: int = 0
    images_per_second: float = 0.0
    peak_memory_bytes: int = 0
    resumed: list[int] = Field(default=[], description="images seen where training went on from a checkpoint")
    files: dict[str, str] = Field(default={}, description="sha256 of the files that lie beside the record")
    provenance: dict[str, Any] = {}

    def write(self, path: Path, *, spare: Path | None = None) -> None:
        """Write the record, sealed; into the room of a `spare` file where there is one."""
        content = self.model_dump(mode="json", by_alias=True)
        write_text(path, json.dumps(content | {"seal": _seal(content)}, indent=1) + "\n", spare=spare)

    @property
    def row(self) -> tuple[str, str]:
        """What seeds are averaged over: label and source."""
        return self.about.label, self.about.source


def _seal(content: dict[str, Any]) -> str:
    rest = {name: value for name, value in content.items() if name != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_record(path: Path) -> Record:
    """Read and validate a record; a damaged, edited, foreign or outdated file is a `RequestError` that names it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(f"record {path}: cannot be read ({error.strerror})") from error
    try:
        content = json.loads(raw)
        if not isinstance(content, dict) or "schema" not in content:
            raise RequestError(f"record {path}: damaged or foreign (no record of ganbench)")
        if content["schema"] != SCHEMA:
            raise RequestError(f"record {path}: schema {content['schema']}, and this ganbench reads {SCHEMA}")
        if content.get("seal") != _seal(content):
            raise RequestError(f"record {path}: edited after it was written (its seal is of other content)")
        return Record.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(
            f"record {path}: damaged or foreign ({where + ': ' if where else ''}{first['msg']})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"record {path}: damaged or foreign ({error})") from error
