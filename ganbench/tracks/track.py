"""A track: a named, versioned protocol that makes trials comparable."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.budget import Budget
from ganbench.errors import RequestError, did_you_mean
from ganbench.scores import METRICS

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
PROTOCOL = 1
"""Raise when training or evaluation change so that the same request gives other numbers."""


class Track(BaseModel):
    """Data set, budget, seeds, samples, extractor: everything but the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=f"^{NAME.pattern}$")
    version: int = Field(ge=1)
    summary: str
    dataset: str
    budget: str
    seeds: int = Field(ge=1)
    samples: int = Field(ge=20, description="images scored at the end; the reference has at least as many")
    curve_points: int = Field(ge=1, le=20, description="evaluations on the way, at halving shares of the budget")
    curve_samples: int = Field(ge=20, description="images scored at a curve point")
    extractor: str
    classifier_steps: int = Field(ge=1, description="updates of the downstream classifier")

    def with_budget(self, budget: str | None) -> Track:
        """Return the track itself, or for another budget another track: unlike is never ranked with unlike."""
        if budget is None or Budget.parse(budget) == Budget.parse(self.budget):
            return self
        spec = str(Budget.parse(budget))
        return self.model_copy(update={"name": f"{self.name}+{spec.replace(',', '+')}", "budget": spec})

    def with_extractor(self, extractor: str | None) -> Track:
        """Return the track itself, or for another extractor another track."""
        if extractor is None or extractor == self.extractor:
            return self
        return self.model_copy(update={"name": f"{self.name}+{extractor}", "extractor": extractor})

    def fingerprint(self, dataset_sha256: str, extractor_sha256: str) -> str:
        """Return the hash that two records must share to stand on one board."""
        decisive = self.model_dump(exclude={"summary", "seeds"})
        metrics = {metric.name: metric.version for metric in METRICS}
        decisive |= {"dataset_sha256": dataset_sha256, "extractor_sha256": extractor_sha256}
        decisive |= {"metrics": metrics, "protocol": PROTOCOL}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def read_track(path: Path) -> Track:
    """Read a track from a ``.toml`` file; errors name the file and the field."""
    try:
        track = Track(**tomllib.loads(path.read_text()))
        Budget.parse(track.budget)
        return track
    except OSError as error:
        raise RequestError(f"track {path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"track {path}: not valid TOML ({error})") from error
    except ValidationError as error:
        # A misspelt field is also a missing one: name the misspelling.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        field = ".".join(map(str, first["loc"])) or "file"
        unknown = first["type"] == "extra_forbidden"
        what = f"unknown field{did_you_mean(field, Track.model_fields)}" if unknown else first["msg"]
        raise RequestError(f"track {path}: {field}: {what}") from error
    except RequestError as error:
        raise RequestError(f"track {path}: {error}") from error
