"""A track: a named, versioned protocol that makes runs comparable."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ganbench.budget import Budget
from ganbench.errors import RequestError, did_you_mean
from ganbench.metric import HEADLINE, STANDARD

WEIGHTS = ".safetensors"
"""How an extractor's name ends that is a file."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class Track(BaseModel):
    """A named pair of a training protocol (data set, budget, precision, seeds) and a scoring protocol (the rest)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=f"^{NAME.pattern}$")
    version: int = Field(ge=1)
    summary: str
    dataset: str
    budget: str
    precision: Literal["fp32", "bf16"] = Field(default="fp32", description="number format of training steps")
    seeds: int = Field(ge=1)
    samples: int = Field(ge=20, description="images scored at the end; the reference has at least as many")
    curve_points: int = Field(ge=1, le=20, description="evaluations on the way, at halving shares of the budget")
    curve_samples: int = Field(ge=20, description="images scored at a curve point")
    extractor: str = Field(description="a name, or a file of `ganbench extractor train`, beside the track's own")
    classifier_steps: int = Field(ge=1, description="updates of the downstream classifier")
    classifier_seeds: int = Field(default=2, ge=1, description="downstream classifiers that an accuracy is the mean of")
    headline: str = Field(default=HEADLINE.name, description="the metric that ranks the board, of which less is better")
    metrics: tuple[str, ...] = Field(
        default=STANDARD, validate_default=True, description="names, in the order of the board's columns"
    )

    @field_validator("metrics")
    @classmethod
    def _spelt_out(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        """Put the standard metrics in the place of ``standard``; what is named by itself as well keeps one place."""
        if "standard" not in metrics:
            return metrics
        own = [name for name in metrics if name not in STANDARD]
        at = own.index("standard")
        return (*own[:at], *STANDARD, *own[at + 1 :])

    @field_validator("metrics")
    @classmethod
    def _can_be_ranked(cls, metrics: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        headline = info.data.get("headline", HEADLINE.name)
        if headline not in metrics:
            raise ValueError(f"{headline!r} is missing: boards are ranked by it")
        if twice := [name for name in metrics if metrics.count(name) > 1]:
            raise ValueError(f"{twice[0]!r} is named twice")
        return metrics

    @property
    def content(self) -> dict[str, Any]:
        """What two tracks of one name must share: everything but the wording and the number of seeds."""
        # A path, as in folder:PATH, says where images or weights lie, not what they are: protocols hold their hashes.
        file = self.extractor.endswith(WEIGHTS)
        return self.model_dump(mode="json", exclude={"summary", "seeds"}) | {
            "dataset": self.dataset.partition(":")[0], "extractor": WEIGHTS if file else self.extractor,
        }  # fmt: skip

    def toml(self) -> str:
        """Return the track as a ``.toml`` file says it: `read_track` gives the same track."""
        fields = self.model_dump(mode="json").items()
        # A JSON text is a TOML text, but for DEL, which TOML wants escaped.
        return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields).replace(
            "\x7f", "\\u007f"
        )

    def with_budget(self, budget: str | None) -> Track:
        """Return the track itself, or for another budget another track: unlike is never ranked with unlike."""
        if budget is None or Budget.parse(budget) == Budget.parse(self.budget):
            return self
        spec = str(Budget.parse(budget))
        changed = {"name": f"{self.name}+{spec.replace(',', '+')}", "budget": spec}
        return self.model_copy(update=changed | {"summary": f"{self.name} with a budget of {spec}"})

    def with_precision(self, precision: Literal["fp32", "bf16"] | None) -> Track:
        """Return the track itself, or for another number format another track."""
        if precision is None or precision == self.precision:
            return self
        changed = {"name": f"{self.name}+{precision}", "precision": precision}
        return self.model_copy(update=changed | {"summary": f"{self.name} in {precision}"})


def read_track(path: Path) -> Track:
    """Read a track from a ``.toml`` file; errors name the file and the field."""
    try:
        track = Track(**tomllib.loads(path.read_text()))
        Budget.parse(track.budget)
        if not track.extractor.endswith(WEIGHTS):
            return track
        return track.model_copy(update={"extractor": str(path.absolute().parent / track.extractor)})
    except OSError as error:
        raise RequestError(f"track {path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        # A misspelt field is also a missing one: name the misspelling.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        field = ".".join(map(str, first["loc"])) or "file"
        unknown = first["type"] == "extra_forbidden"
        what = f"unknown field{did_you_mean(field, Track.model_fields)}" if unknown else first["msg"]
        raise RequestError(f"track {path}: {field}: {what}") from error
    except (ValueError, RecursionError) as error:  # no TOML, no text, brackets without end, or no path
        raise RequestError(f"track {path}: not valid TOML ({error})") from error
    except RequestError as error:
        raise RequestError(f"track {path}: {error}") from error
