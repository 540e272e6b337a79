"""What decides a run and nothing else: a model, its hyper-parameters, a training protocol and a seed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ganbench.util.resources import Resources

TRAINING_VERSION = 2
"""Raise when the training loop changes so that the same request gives another model; it is part of every run's key."""


class ModelInfo(BaseModel):
    """Who the model is: enough to find it again and to set it in its place on a board."""

    model_config = ConfigDict(frozen=True)

    name: str
    label: str = Field(description="the name and every hyper-parameter that differs from its default")
    family: str
    version: str
    source: str = Field(description="sha256 of the code that decides what the model does")
    conditional: bool = False
    paper: str = ""
    sampler: str = Field(default="", description="what samples are decoded from")
    distribution: str = Field(description="the distribution that brought it, with its version, or a file's path")
    log_likelihood: bool = Field(default=False, description="whether it bounds the log-likelihood of images")
    role: Literal["model", "ceiling", "floor", "memoriser"] = Field(
        default="model", description="anything but model is a baseline, which the scoring side makes"
    )


class TrainingProtocol(BaseModel):
    """What a trained model depends on beside itself and its seed."""

    model_config = ConfigDict(frozen=True)

    dataset: str = Field(description="the data set's name; its content is known by train_sha256")
    train_sha256: str = Field(description="sha256 of the training images and labels")
    shape: tuple[int, ...]
    classes: int
    n: int = Field(description="training images")
    budget: str
    precision: Literal["fp32", "bf16"] = "fp32"
    device: str = Field(default="", description="the kind of device, where the budget is time; empty elsewhere")


class Tuning(BaseModel):
    """How hyper-parameters were found: the least value of a metric among so many runs, or means of runs over seeds."""

    model_config = ConfigDict(frozen=True)

    runs: int = Field(description="settings that were tried")
    track: str
    split: str = Field(description="the split that samples were compared with")
    seeds: tuple[int, ...]
    metric: str

    def __str__(self) -> str:
        seeds = ", ".join(map(str, self.seeds))
        return f"the best of {self.runs} settings by {self.metric} on {self.track}, {self.split} split, seeds {seeds}"


def digest(decisive: dict[str, Any]) -> str:
    """Return a key, 16 hexadecimal digits, for plain values."""
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


class RunSpec(BaseModel):
    """A run that was asked for. Metrics, extractor, track, order, path, date and threads are no part of it."""

    model_config = ConfigDict(frozen=True)

    model_info: ModelInfo
    import_path: str = Field(description="where the class was found: module:Class or /path/file.py:Class")
    config: dict[str, Any]
    training: TrainingProtocol
    seed_index: int
    seed: int
    tuning: Tuning | None = Field(default=None, description="how its hyper-parameters were found; no part of the key")
    resources: dict[str, Any] = Field(default={}, description="what the model asks of a node; no part of the key")

    @property
    def key(self) -> str:
        info, training = self.model_info, self.training
        decisive = {
            "role": info.role, "model": info.name, "version": info.version, "source": info.source,
            "config": self.config, "train_sha256": training.train_sha256, "budget": training.budget,
            "precision": training.precision, "device": training.device, "seed": self.seed,
            "protocol": TRAINING_VERSION,
        }  # fmt: skip
        return digest(decisive)


class RuntimeConfig(BaseModel):
    """How and where a run is trained; nothing here may decide its result (beyond floating-point rounding)."""

    model_config = ConfigDict(frozen=True)

    device: str
    threads: int
    deterministic: bool = False
    memory_limit: int | None = Field(default=None, description="bytes that a run may allocate, on a CPU")
    checkpoint_seconds: float = 10.0
    command: list[str] = []


class TrainJob(BaseModel):
    """A run to be trained: where, how, on which file of images, and which samples it is to leave."""

    model_config = ConfigDict(frozen=True)

    spec: RunSpec
    runtime: RuntimeConfig
    folder: Path
    data_file: Path = Field(description="the training images and labels; nothing else of the data set")
    samples: int
    curve_points: int
    curve_samples: int
    resources: Resources = Field(default=Resources(), exclude=True, description="what its worker is given of a node")
    replaces: str | None = Field(default=None, description="sha256 of the run.json that is to be done again")
    restart: bool = Field(default=False, description="from the first step, whatever checkpoints there are")
