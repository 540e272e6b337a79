"""Settings files: hyper-parameters by model, as ``ganbench tune`` writes and ``ganbench run --settings`` reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.errors import RequestError
from ganbench.store.run_spec import Tuning
from ganbench.util.atomic_io import write_bytes


class Tried(BaseModel):
    """One setting that was tried; `value` is that of the metric tuned for, None where a run failed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    params: dict[str, Any]
    value: float | None = None
    seconds: float = Field(default=0.0, description="of training, summed over seeds")
    status: str = "ok"


class ModelSettings(BaseModel):
    """The hyper-parameters of one model; others than those named keep their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    params: dict[str, Any] = {}
    source: str = Field(default="", description="sha256 of the code that was tuned")
    tried: tuple[Tried, ...] = Field(default=(), description="in order; the first are the defaults")

    @property
    def best(self) -> Tried | None:
        return best_of(self.tried)


def best_of(tried: Sequence[Tried]) -> Tried | None:
    """Return the setting with the least value, None where all failed; of equal ones the first."""
    ended = [(each.value, at) for at, each in enumerate(tried) if each.value is not None]
    return tried[min(ended)[1]] if ended else None


class Settings(BaseModel):
    """The content of a settings file. Empty fields are unknown: a file may be written by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["ganbench settings 1"] = "ganbench settings 1"
    track: str = ""
    budget: str = ""
    dataset: str = ""
    train_sha256: str = ""
    split: str = Field(default="", description="the split that samples were compared with")
    seeds: tuple[int, ...] = ()
    metric: str = ""
    models: dict[str, ModelSettings] = {}

    def tuning(self, label: str) -> Tuning | None:
        """Return how a model's settings were found, None where that is not told."""
        found = self.models[label]
        if not found.tried:
            return None
        return Tuning(runs=len(found.tried), track=self.track, split=self.split, seeds=self.seeds, metric=self.metric)

    def same_search(self, other: Settings) -> bool:
        """Tell whether two files were made in the same way, so that their models may stand in one."""
        return self.model_copy(update={"models": {}}) == other.model_copy(update={"models": {}})

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, (json.dumps(self.model_dump(mode="json"), indent=1) + "\n").encode())


def read_settings(path: Path) -> Settings:
    """Read a settings file; `RequestError` names the file and the field that is wrong."""
    try:
        return Settings.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RequestError(f"--settings {path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise RequestError(f"--settings {path}: {where}: {first['msg']}") from error
