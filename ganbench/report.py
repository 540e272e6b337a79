"""What `ganbench evaluate` found, with everything that a reader needs to repeat it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.evaluation.images import Images
from ganbench.extractors.base import ExtractorSource
from ganbench.files import write_text
from ganbench.scores import METRICS, Metric
from ganbench.tracks.track import PROTOCOL, Track

SCHEMA = 1
KID = Metric(
    "kid", "KID", "lower", None, None, 5, 1, "squared MMD of features, cubic kernel; unbiased", "arXiv:1801.01401"
)
SHOWN = (METRICS[0], KID, *METRICS[1:])


@dataclass(frozen=True)
class Report:
    """Scores by name, sentences that a reader must see, and the whole as JSON values."""

    scores: dict[str, float]
    n: int
    notes: tuple[str, ...]
    content: dict[str, Any]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that were computed, in board order."""
        return [metric for metric in SHOWN if metric.name in self.scores]

    def write(self, path: Path) -> None:
        write_text(path, json.dumps(self.content, indent=1, allow_nan=False) + "\n")


def make_report(
    scores: dict[str, float],
    images: Images,
    reference: Images,
    track: Track,
    source: ExtractorSource,
    identity: str,
    *,
    notes: list[str],
    fingerprint: str | None,
    settings: dict[str, Any],
    provenance: dict[str, Any],
) -> Report:
    """Assemble a report; `fingerprint` is that of records which stand on the same board, None where there are none.

    ``metrics`` in its content is as in a trial's record: value and n by name.
    """
    versions = {metric.name: metric.version for metric in SHOWN if metric.name in scores}
    libraries = {name: version(name) for name in ("numpy", "scipy", "pillow", "torch-fidelity")}
    content = {
        "schema": SCHEMA,
        "metrics": {name: {"value": value, "n": len(images)} for name, value in scores.items()},
        "metric_versions": versions,
        "protocol": PROTOCOL,
        "settings": settings,
        "samples": _about(images) | {"labels_sha256": _labels_hash(images)},
        "reference": _about(reference),
        "extractor": {"name": source.name, "sha256": identity},
        "preprocessing": {
            "samples": "clamped and rounded to uint8 once, half to even; never resized or cropped before the extractor",
            "extractor": source.preprocessing,
        },
        "track": track.model_dump(mode="json"),
        "fingerprint": fingerprint,
        "notes": notes,
        "provenance": provenance | {"libraries": libraries},
    }
    return Report(scores, len(images), tuple(notes), content)


def _about(images: Images) -> dict[str, Any]:
    return {
        "name": images.name, "kind": images.kind, "n": len(images), "available": images.available,
        "shape": list(images.shape), "sha256": images.sha256, "reading": images.reading,
    }  # fmt: skip


def _labels_hash(images: Images) -> str | None:
    if images.labels is None:
        return None
    return hashlib.sha256(np.ascontiguousarray(images.labels, dtype="<i8").tobytes()).hexdigest()
