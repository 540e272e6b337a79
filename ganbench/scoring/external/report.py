"""What `ganbench evaluate` found, with everything that a reader needs to repeat it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.data.dataset import Dataset
from ganbench.extractors.base import ExtractorSource
from ganbench.metric import Metric, MetricInfo, flatten
from ganbench.scoring.evaluator import EvaluationResult, Reference
from ganbench.scoring.external.images import Images
from ganbench.scoring.external.report_file import SCHEMA
from ganbench.scoring.external.saved_statistics import Statistics
from ganbench.scoring.metric_context import Classifier
from ganbench.store.score_record import SCORING_VERSION
from ganbench.tracks.track import Track
from ganbench.util.atomic_io import write_text

IMAGES = "clamped and rounded to uint8 once, half to even; never resized or cropped before the extractor"
POINTS = "clamped to [-1, 1], float32"


@dataclass(frozen=True)
class Report:
    """The result, what its metrics are, sentences that a reader must see, and the whole as JSON values."""

    result: EvaluationResult
    info: tuple[MetricInfo, ...]
    notes: tuple[str, ...]
    content: dict[str, Any]

    @property
    def scores(self) -> dict[str, float]:
        """Values by name, deviations and errors among them."""
        return flatten(self.result.scores)

    def write(self, path: Path) -> None:
        write_text(path, json.dumps(self.content, indent=1, allow_nan=False) + "\n")


def make_report(
    result: EvaluationResult,
    metrics: Sequence[Metric],
    images: Images,
    real: Dataset | Reference,
    reference: Images | Statistics,
    track: Track,
    source: ExtractorSource,
    identity: str,
    *,
    against: str,
    notes: list[str],
    classifier: Classifier | None,
    provenance: dict[str, Any],
) -> Report:
    """Assemble a report; ``metrics`` and ``skipped`` in its content are as in a run's scores.

    `report_file` describes the content, and reads it again.
    """
    scored = [metric for metric in metrics if metric.name in result.scores]
    own = real if isinstance(real, Dataset) else None
    libraries = {name: version(name) for name in ("numpy", "scipy", "pillow", "torch-fidelity")}
    content = {
        "schema": SCHEMA,
        "metrics": {name: score.model_dump() for name, score in result.scores.items()},
        "skipped": result.skipped,
        "metric_versions": {metric.name: metric.version for metric in scored},
        "metric_info": {
            metric.name: metric.info.model_dump(mode="json") | {"needs": list(metric.needs)} for metric in scored
        },
        "protocol": SCORING_VERSION,
        "settings": {"downstream_classifier": None if classifier is None else asdict(classifier)},
        "samples": _description(images),
        "reference": _description(reference) | {"split": own and against, "train_sha256": own and own.train_sha256},
        "extractor": {"name": source.name, "sha256": identity},
        "preprocessing": {
            "samples": IMAGES if len(images.shape) == 3 else POINTS,
            "extractor": source.preprocessing,
            "resize": source.resize,
        },
        "track": track.model_dump(mode="json"),
        "notes": notes,
        "provenance": provenance | {"libraries": libraries},
    }
    return Report(result, tuple(metric.info for metric in metrics), tuple(notes), content)


def _description(images: Images | Statistics) -> dict[str, Any]:
    return {
        "name": images.name, "kind": images.kind, "n": len(images), "available": images.available,
        "shape": images.shape and list(images.shape), "sha256": images.sha256,
        "labels_sha256": _labels_hash(images), "reading": images.reading,
    }  # fmt: skip


def _labels_hash(images: Images | Statistics) -> str | None:
    if images.labels is None:
        return None
    return hashlib.sha256(np.ascontiguousarray(images.labels, dtype="<i8").tobytes()).hexdigest()
