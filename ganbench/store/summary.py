"""What a list of runs shows, read from their files without the rest: a large store is listed in a second or two.

Checksums and names are checked as everywhere. Whether a record's key is that of its content is not: that takes all of
it, and a list ranks nothing. `Store.read` checks it.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import BaseModel, Field

from ganbench.errors import RequestError
from ganbench.store import run_record, score_record
from ganbench.store.layout import RUN, SCORES
from ganbench.store.run_record import RunStatus
from ganbench.util.checked_json import decode_bytes, read_raw


class _Model(BaseModel):
    label: str


class _Training(BaseModel):
    dataset: str
    budget: str
    precision: str = "fp32"


class _Spec(BaseModel):
    model_info: _Model
    training: _Training
    seed_index: int


class _Samples(BaseModel):
    sha256: str


class _Provenance(BaseModel):
    started: Any = None


class RunSummary(BaseModel):
    """The part of a `RunRecord` that a list shows."""

    key: str
    spec: _Spec
    status: RunStatus
    reason: str = ""
    samples: _Samples | None = None
    provenance: _Provenance = Field(default_factory=_Provenance)


class _Protocol(BaseModel):
    split: Literal["test", "validation"]


class _Value(BaseModel):
    value: float


class ScoreSummary(BaseModel):
    """The part of a `ScoreRecord` that a list shows."""

    key: str
    run: str
    protocol: _Protocol
    samples_sha256: str
    metrics: dict[str, _Value] = {}


def read_run_summary(folder: str, key: str) -> RunSummary | None:
    """Return what a list shows of the run in a folder, None where it has no record; RequestError as `Store.read`."""
    path = f"{folder}/{RUN}"
    if (raw := read_raw(path, "record")) is None:
        return None
    summary = decode_bytes(raw, path, RunSummary, "record", run_record.SCHEMA)
    if summary.key != key:
        raise RequestError(f"record {path}: of another run, {summary.key}")
    return summary


def read_score_summaries(folder: str, run: RunSummary) -> list[ScoreSummary]:
    """Return what a list shows of a run's scores, the main ones first; files that cannot be used are left out.

    The main ones are of the test split, and of as many metrics as any.
    """
    try:
        with os.scandir(f"{folder}/{SCORES}") as entries:
            names = [each.name for each in entries if each.name.endswith(".json") and each.name[0] != "."]
    except OSError:
        return []
    found = []
    for name in names:
        path = f"{folder}/{SCORES}/{name}"
        try:
            if (raw := read_raw(path, "score")) is None:
                continue
            score = decode_bytes(raw, path, ScoreSummary, "score", score_record.SCHEMA)
        except RequestError:
            continue
        fits = run.samples is None or score.samples_sha256 == run.samples.sha256
        if score.run == run.key and score.key == name.removesuffix(".json") and fits:
            found.append(score)
    return sorted(found, key=lambda score: (score.protocol.split != "test", -len(score.metrics), score.key))
