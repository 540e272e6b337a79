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

from ganbench.extractors.base import ExtractorSource
from ganbench.metric import MetricInfo, flatten
from ganbench.scoring.evaluator import EvaluationResult
from ganbench.scoring.external.images import Images
from ganbench.scoring.external.saved_statistics import Statistics
from ganbench.scoring.metric_context import Classifier
from ganbench.store.score_record import SCORING_VERSION
from ganbench.tracks.track import Track
from ganbench.util.atomic_io import write_text

SCHEMA = 2
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
    info: Sequence[MetricInfo],
    images: Images,
    reference: Images | Statistics,
    track: Track,
    source: ExtractorSource,
    identity: str,
    *,
    notes: list[str],
    classifier: Classifier | None,
    provenance: dict[str, Any],
) -> Report:
    """Assemble a report; ``metrics`` and ``skipped`` in its content are as in a run's scores."""
    versions = {metric.name: metric.version for metric in info if metric.name in result.scores}
    libraries = {name: version(name) for name in ("numpy", "scipy", "pillow", "torch-fidelity")}
    content = {
        "schema": SCHEMA,
        "metrics": {name: score.model_dump() for name, score in result.scores.items()},
        "skipped": result.skipped,
        "metric_versions": versions,
        "protocol": SCORING_VERSION,
        "settings": {"downstream_classifier": None if classifier is None else asdict(classifier)},
        "samples": _description(images) | {"labels_sha256": _labels_hash(images)},
        "reference": _description(reference),
        "extractor": {"name": source.name, "sha256": identity},
        "preprocessing": {
            "samples": IMAGES if len(images.shape) == 3 else POINTS,
            "extractor": source.preprocessing,
        },
        "track": track.model_dump(mode="json"),
        "notes": notes,
        "provenance": provenance | {"libraries": libraries},
    }
    return Report(result, tuple(info), tuple(notes), content)


def _description(images: Images | Statistics) -> dict[str, Any]:
    return {
        "name": images.name, "kind": images.kind, "n": len(images), "available": images.available,
        "shape": images.shape and list(images.shape), "sha256": images.sha256, "reading": images.reading,
    }  # fmt: skip


def _labels_hash(images: Images) -> str | None:
    if images.labels is None:
        return None
    return hashlib.sha256(np.ascontiguousarray(images.labels, dtype="<i8").tobytes()).hexdigest()
