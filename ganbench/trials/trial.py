"""A trial: one model with one set of hyper-parameters, on one track, with one seed; and its key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ganbench.trials.record import ModelInfo, TrackInfo


class Setting(BaseModel):
    """How and where a trial runs; nothing here may decide its result (beyond a last digit)."""

    model_config = ConfigDict(frozen=True)

    device: str
    precision: str
    threads: int
    data_dir: Path | None = None
    weights: Path | None = None
    command: list[str] = []


class Trial(BaseModel):
    """Everything a worker process needs, as JSON."""

    model_config = ConfigDict(frozen=True)

    about: ModelInfo
    address: str
    config: dict[str, Any]
    track: TrackInfo
    repetition: int
    seed: int

    @property
    def key(self) -> str:
        """The hash of what decides the result and of nothing else: not order, device count, path or date."""
        decisive = {
            "model": self.about.name,
            "version": self.about.version,
            "source": self.about.source,
            "config": self.config,
            "track": self.track.fingerprint,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]
