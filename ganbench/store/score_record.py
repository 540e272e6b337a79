"""What one scoring protocol says of one run's samples: a file of its own beside the run, to which metrics are added."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ganbench.metric import MetricInfo, Score
from ganbench.store.run_spec import digest
from ganbench.util.atomic_io import write_bytes
from ganbench.util.checked_json import decode, encode

SCHEMA = 1
SCORING_VERSION = 1
"""Raise when scoring changes for all metrics at once; a metric whose definition changes raises its own version."""


class ScoringProtocol(BaseModel):
    """What scores depend on beside the samples and the metrics' versions."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    split: Literal["test", "validation"] = Field(description="the split that samples are compared with")
    reference_sha256: str = Field(description="sha256 of that split")
    train_sha256: str = Field(description="sha256 of the training images, which copies are looked for among")
    extractor: str
    extractor_sha256: str = Field(description="sha256 of its weights, with the version of its preprocessing")
    samples: int = Field(description="final samples that are scored, at the most")
    curve_samples: int
    classifier_steps: int
    classifier_seeds: int

    @property
    def key(self) -> str:
        """The hash of the content that decides: neither the data set's nor the extractor's name."""
        decisive = self.model_dump(exclude={"dataset", "split", "extractor"})
        return digest(decisive | {"protocol": SCORING_VERSION})


class CurveScores(BaseModel):
    """Scores of the samples drawn at one point of a curve: values by metric, ``NAME_sd`` and ``NAME_se`` among them."""

    model_config = ConfigDict(frozen=True)

    images: int
    samples_sha256: str
    n: int
    metrics: dict[str, float]


class ScoreRecord(BaseModel):
    """Scores of one run under one scoring protocol.

    `metric_info` describes every metric that was asked for, so that a board is rebuilt without the plugin that brought
    it; `skipped` says of those without a value why. `metrics` and `curve` belong to the samples named by their hashes.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_version: int = Field(default=SCHEMA, alias="schema")
    key: str = Field(description="the scoring protocol's key, which names the file")
    run: str = Field(description="the run's key")
    protocol: ScoringProtocol
    samples_sha256: str
    n: int = Field(description="final samples that were scored")
    metrics: dict[str, Score] = {}
    metric_info: dict[str, MetricInfo] = {}
    skipped: dict[str, str] = {}
    curve: list[CurveScores] = []
    seconds: float = 0.0
    provenance: dict[str, Any] = {}

    def write(self, path: Path) -> None:
        """Write the record with its checksum."""
        write_bytes(path, encode(self.model_dump(mode="json", by_alias=True)))

    def lacks(self, metrics: list[MetricInfo]) -> list[str]:
        """Return the names of metrics that are not in here in their present version."""
        return [
            metric.name
            for metric in metrics
            if (known := self.metric_info.get(metric.name)) is None or known.version != metric.version
        ]


def read_score(path: Path) -> ScoreRecord:
    """Read a score file; a damaged, edited, foreign or outdated file is a `RequestError` that names it."""
    return decode(path, ScoreRecord, "score", SCHEMA)
