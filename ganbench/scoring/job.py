"""What a scoring worker is asked for: runs of a store, one scoring protocol, metrics. It names no model's code."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ganbench.store.score_record import ScoringProtocol


class ScoreJob(BaseModel):
    """Runs to be scored under one protocol; those without an entry point are ganbench's own."""

    model_config = ConfigDict(frozen=True)

    store: Path
    keys: list[str] = Field(description="runs, in order")
    protocol: ScoringProtocol
    metrics: list[str]
    headline: str
    items: list[tuple[str, str, str]] = Field(
        description="kind, name and entry point of the data set, the extractor and the metrics"
    )
    data_dir: Path | None = None
    weights: Path | None = None
    device: str = "cpu"
    threads: int = 1
    command: list[str] = []
