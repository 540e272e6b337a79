"""A trial: one model with one set of hyper-parameters, on one track, with one seed; and the job of doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ganbench.store.run_record import ModelInfo, Record, Status, TrackInfo, make_key


class RuntimeConfig(BaseModel):
    """How and where a trial runs; nothing here may decide its result (beyond a last digit)."""

    model_config = ConfigDict(frozen=True)

    device: str
    threads: int
    data_dir: Path | None = None
    weights: Path | None = None
    deterministic: bool = False
    memory_bytes: int | None = Field(default=None, description="the most memory that a trial may write to, on a CPU")
    checkpoint_seconds: float = 10.0
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
        return make_key(self.about, self.config, self.track.fingerprint, self.seed, self.precision)

    def ended(self, status: Status, reason: str, **found: Any) -> Record:
        """Return the record of this trial; `found` are the record's other fields, as far as they are known."""
        return Record(
            key=self.key,
            model=self.about.name,
            about=self.about,
            address=self.address,
            config=self.config,
            track=self.track,
            repetition=self.repetition,
            seed=self.seed,
            precision=self.precision,
            status=status,
            reason=reason,
            **found,
        )


class Job(BaseModel):
    """A trial to be done: where, how, and which record it may put in the place of."""

    model_config = ConfigDict(frozen=True)

    trial: Trial
    setting: RuntimeConfig
    folder: Path
    replaces: str | None = Field(default=None, description="sha256 of the record's file that is to be done again")
    anew: bool = Field(default=False, description="from the first step, whatever checkpoints there are")
