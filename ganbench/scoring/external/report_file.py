"""The file that ``ganbench evaluate --json`` writes, as it is read again; imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganbench.errors import RequestError
from ganbench.metric import MetricInfo, Score
from ganbench.util.text import one_line

SCHEMA = 3
SUFFIX = ".json"
"""How the name of a report ends, where it is told from a label."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Downstream(_Part):
    """The schedule of the downstream classifier: see `ganbench.scoring.metric_context.Classifier`."""

    steps: int
    seed: int
    count: int
    random_labels: bool


class Settings(_Part):
    downstream_classifier: Downstream | None


class ImageSet(_Part):
    """Images, or moments of theirs: `n` of `available` were taken; 0 where a file of moments does not say."""

    name: str
    kind: str
    n: int
    available: int
    shape: list[int] | None
    sha256: str
    labels_sha256: str | None
    reading: dict[str, Any]


class ReferenceSet(ImageSet):
    """Real images; `split` and `train_sha256`, of what copies are looked for among, are those of a data set."""

    split: str | None
    train_sha256: str | None


class ExtractorUsed(_Part):
    name: str
    sha256: str = Field(description="of its weights, with the version of its preprocessing")


class Preprocessing(_Part):
    """What happens to pixels: `samples` in words, before any extractor; `extractor` is the version of its own."""

    samples: str
    extractor: int
    resize: str = Field(description="how the extractor treats images of another size, in words; empty: not said")


class MetricUsed(MetricInfo):
    """A metric with what it needed, which tells what its values depend on (`ganbench.metric.NEEDS`)."""

    needs: tuple[str, ...]


class ReportFile(_Part):
    """A report: values by metric, and everything that they depend on."""

    schema_version: int = Field(alias="schema")
    metrics: dict[str, Score]
    metric_info: dict[str, MetricUsed]
    protocol: int = Field(description="`ganbench.store.score_record.SCORING_VERSION`")
    settings: Settings
    samples: ImageSet
    reference: ReferenceSet
    extractor: ExtractorUsed
    preprocessing: Preprocessing
    track: dict[str, Any]
    notes: list[str]
    provenance: dict[str, Any]

    @model_validator(mode="after")
    def _described(self) -> ReportFile:
        if unknown := sorted(set(self.metrics) - set(self.metric_info)):
            raise ValueError(f"nothing is said of the metric {unknown[0]}")
        return self


def read_report(path: Path) -> ReportFile:
    """Read a report; a damaged, foreign or outdated file is a `RequestError` that names it."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise RequestError(f"report {path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(
            f"report {path}: damaged, or no JSON: make it again with `ganbench evaluate --json`"
        ) from error
    if not isinstance(content, dict) or not {"schema", "metrics", "samples", "reference", "extractor"} <= set(content):
        raise RequestError(f"report {path}: is none: `ganbench evaluate SAMPLES --json FILE` makes one")
    if content["schema"] != SCHEMA:
        raise RequestError(
            f"report {path}: has schema {one_line(str(content['schema']), 20)}, and this version of ganbench reads "
            f"{SCHEMA}: make it again with `ganbench evaluate --json`"
        )
    try:
        return ReportFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(
            f"report {path}: damaged ({one_line(where, 60) + ': ' if where else ''}{one_line(first['msg'], 120)}): "
            "make it again with `ganbench evaluate --json`"
        ) from error
