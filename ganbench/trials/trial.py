"""A trial: one model with one set of hyper-parameters, on one track, with one seed; and its key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ganbench.trials.record import ModelInfo, Record, Status, TrackInfo


class Setting(BaseModel):
    """How and where a trial runs; nothing here may decide its result (beyond a last digit)."""

    model_config = ConfigDict(frozen=True)

    device: str
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
    precision: str = "fp32"

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
        if self.precision != "fp32":  # float32 is the protocol's own; another format gives other numbers
            decisive["precision"] = self.precision
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]

    def ended(self, status: Status, reason: str, **found: Any) -> Record:
        """Return the record of this trial; `found` are the record's other fields, as far as they are known."""
        return Record(
            key=self.key,
            model=self.about.name,
            about=self.about,
            config=self.config,
            track=self.track,
            repetition=self.repetition,
            seed=self.seed,
            status=status,
            reason=reason,
            **found,
        )
