"""What a metric is: its name, direction, range, version, source, what it needs, and how it is computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

if TYPE_CHECKING:
    from ganbench.scoring.metric_context import MetricContext
else:
    MetricContext = Any  # pydantic resolves annotations, and the real one needs torch

STANDARD = (
    "fid", "is", "precision", "recall", "density", "coverage", "kid",
    "authenticity", "copying", "cas", "gan_test", "cas_oracle", "duplicates", "leaks", "spectrum",
)  # fmt: skip
"""The metrics of a track that names none, in board order."""

NEEDS = {
    "moments": "mean and covariance of the reference's features",
    "reference": "features of the reference images",
    "probabilities": "class probabilities from the extractor",
    "train": "features of the images that models learn from",
    "images": "images, of the samples and of the reference: not points",
    "labels": "the labels that samples were made for, and those of the reference",
    "oracle": "an extractor whose classes are the data set's own",
    "final": "samples of the finished model: at the points of a curve, metrics that take long are skipped",
    "classifier": "a schedule for downstream classifiers: images of the reference's size and classes",
    "likelihood": "a model that bounds the log-likelihood of images",
    "modes": "points, and the Gaussians that real ones were drawn from",
}
"""What a metric may need; where something of it is not there, the metric is skipped."""

LACKING = "needs "
"""How the reason begins where a metric does not apply; any other reason is a failure."""


class MetricInfo(BaseModel):
    """What a reader of a column must know; records carry it, so that a board is rebuilt without the metric's plugin.

    `low` and `high` bound the values (None: unbounded). `digits` are decimals in Markdown; CSV has them all.
    `version` is part of a track's fingerprint: raise it when the definition changes.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    direction: Literal["lower", "higher", "neither"]
    low: float | None = None
    high: float | None = None
    digits: int = 3
    version: int = Field(default=1, ge=1)
    meaning: str
    source: str

    @property
    def arrow(self) -> str:
        return {"lower": " ↓", "higher": " ↑", "neither": ""}[self.direction]


HEADLINE = MetricInfo(
    name="fid", title="FID", direction="lower", low=0, digits=1, version=1,
    meaning="Fréchet distance of features, ranks the board", source="arXiv:1706.08500",
)  # fmt: skip
"""What ranks a board, unless its track says otherwise."""


class Score(BaseModel):
    """A metric's value from n samples; the harness fills n in.

    `sd` is the spread over what the metric averages (splits, subsets, classifiers), `se` the standard error that other
    samples of the same model would bring. Neither is the spread over training seeds, which only a board has.
    `details` are what the value is made of, such as accuracies by class.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: float
    n: int = 0
    sd: float | None = None
    se: float | None = None
    details: dict[str, Any] = {}

    @model_serializer(mode="wrap")
    def _without_blanks(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value not in (None, {})}


class Metric(MetricInfo):
    """A column that a track can name: ``register(Metric(...))`` in `ganbench_register_metrics`.

    `needs` are keys of `NEEDS`. `compute` gets the `MetricContext`, which shares what several metrics use (features,
    distances, moments), and returns a float or a `Score`. A ValueError of one line says why samples have no score.
    """

    needs: tuple[str, ...] = ()
    compute: Callable[[MetricContext], float | Score]

    @field_validator("name")
    @classmethod
    def _no_column_of_another(cls, name: str) -> str:
        if name.endswith(("_low", "_high", "_sd", "_se")):
            raise ValueError("a column's name does not end in _low, _high, _sd or _se: these are its companions")
        return name

    @field_validator("needs")
    @classmethod
    def _known(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [need for need in needs if need not in NEEDS]:
            raise ValueError(f"nothing is called {unknown[0]!r}: a metric may need {', '.join(NEEDS)}")
        return needs

    @property
    def info(self) -> MetricInfo:
        return MetricInfo(**self.model_dump(include=set(MetricInfo.model_fields)))

    def score(self, context: MetricContext) -> Score:
        """Compute; raise ValueError, which names the metric, where the value is no number."""
        found = self.compute(context)
        value = found.value if isinstance(found, Score) else float(found)
        if not math.isfinite(value):
            raise ValueError(f"metric {self.name!r}: its value is {value}")
        score = found if isinstance(found, Score) else Score(value=value)
        return score.model_copy(update={"n": len(context)})


def flatten(scores: dict[str, Score]) -> dict[str, float]:
    """Return values by name, with ``NAME_sd`` and ``NAME_se`` where there are any."""
    found = {}
    for name, score in scores.items():
        found[name] = score.value
        found |= {f"{name}_{part}": value for part in ("sd", "se") if (value := getattr(score, part)) is not None}
    return found
