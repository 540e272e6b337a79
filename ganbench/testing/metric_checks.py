"""What must hold for every metric: a pure function whose direction, bounds and needs are what they say."""

from __future__ import annotations

import math
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from ganbench.data.dataset import Dataset
from ganbench.data.embedded import load_digits
from ganbench.data.gaussian_mixtures import RING8
from ganbench.extractors.base import Extractor
from ganbench.extractors.bundled import LENETS
from ganbench.extractors.coordinates import COORDINATES
from ganbench.metric import LACKING, NEEDS, Metric, Score
from ganbench.metrics.fid import gaussian_of
from ganbench.scoring.evaluator import Evaluator
from ganbench.scoring.features import extract
from ganbench.scoring.metric_context import Classifier, MetricContext, Real
from ganbench.testing.check import Check, registrable, require

N = 200
"""Images, or points, that a metric is computed from."""
SEVERAL = (2, 3, 20)
"""Numbers of samples that must give a number, or a ValueError that says why not."""
CPU = torch.device("cpu")


class MetricCase:
    """A metric under test, and contexts to compute it from: digits in a LeNet's features; points where it needs modes.

    Everything that a metric may need is there: probabilities, labels, training images, a classifier's schedule and
    likelihoods, which are made up.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric, self.calling = metric, ""
        self.name = str(getattr(metric, "name", metric))

    @cached_property
    def points(self) -> bool:
        return "modes" in self.metric.needs

    @cached_property
    def dataset(self) -> Dataset:
        return RING8.load(None) if self.points else load_digits()

    @cached_property
    def extractor(self) -> Extractor:
        return (COORDINATES if self.points else LENETS[0]).load(CPU, None)

    @cached_property
    def evaluator(self) -> Evaluator:
        identity = (COORDINATES if self.points else LENETS[0]).identity(None)
        return Evaluator(self.dataset, self.extractor, identity, [self.metric], oracle=not self.points, device=CPU)

    @cached_property
    def untouched(self) -> dict[str, Tensor]:
        """What is known of real images, as it is before anything is computed."""
        parts = {part: getattr(self.evaluator.real, part) for part in ("images", "features", "labels", "train")}
        return {part: value.clone() for part, value in parts.items() if value is not None}

    def context(self, images: np.ndarray, labels: np.ndarray | None) -> MetricContext:
        """Return a context with everything for samples, uint8 (n, C, H, W) or float32 (n, 2), and their labels."""
        made = torch.from_numpy(images.copy())  # what a metric does to it stays here
        found = extract(self.extractor, made)
        real = self.evaluator.real
        assert self.untouched
        bits = torch.linspace(-3, -2, 100)
        return MetricContext(
            real, made, found.features, found.probabilities, None if labels is None else torch.from_numpy(labels),
            Classifier(steps=40, seed=0), log_likelihood=bits,
        )  # fmt: skip

    def real(self, n: int = N) -> MetricContext:
        """Real images that are neither the reference nor training images."""
        split = self.dataset.validation
        return self.context(split.images[:n], None if split.labels is None else split.labels[:n])

    def noise(self) -> MetricContext:
        rng, like = np.random.RandomState(0), self.dataset.validation
        labels = rng.randint(self.dataset.classes, size=N).astype(np.int64)
        if self.points:
            return self.context(rng.uniform(-1, 1, size=(N, 2)).astype(np.float32), labels)
        return self.context(rng.randint(0, 256, size=(N, *like.images.shape[1:]), dtype=np.uint8), labels)

    def bare(self) -> MetricContext:
        """Real images, with nothing but what the metric says that it needs."""
        needs, full = set(self.metric.needs), self.real()
        known = full.real
        assert known.features is not None
        real = Real(
            known.images if needs & {"reference", "classifier", "likelihood"} else None,
            known.labels if needs & {"labels", "classifier"} else None,
            known.features if "reference" in needs else None,
            train=known.train if "train" in needs else None,
            moments=gaussian_of(known.features) if "moments" in needs else None,
            classes=known.classes, oracle="oracle" in needs, modes=known.modes if "modes" in needs else None,
        )  # fmt: skip
        return MetricContext(
            real, full.images, full.features,
            full.probabilities if needs & {"probabilities", "oracle"} else None,
            full.labels if "labels" in needs else None,
            full.classifier if "classifier" in needs else None,
            final="final" in needs,
            log_likelihood=full.log_likelihood if "likelihood" in needs else None,
        )  # fmt: skip

    def score(self, context: MetricContext) -> Score:
        self.calling = "compute"
        score = self.metric.score(context)
        self.calling = ""
        return score

    @cached_property
    def of_real(self) -> Score:
        return self.score(self.real())

    @cached_property
    def of_noise(self) -> Score:
        return self.score(self.noise())


_check = partial(Check, MetricCase)


@_check
def says_what_it_is(case: MetricCase) -> None:
    """It is a `ganbench.Metric` with a title, a meaning, a source, a version, and bounds in order."""
    metric = registrable("metrics", case.metric)
    for field in ("title", "meaning", "source"):
        assert getattr(metric, field).strip(), f"{case.name}: {field} is empty: a reader of the column must know it"
    ordered = metric.low is None or metric.high is None or metric.low < metric.high
    assert ordered, f"{case.name}: low = {metric.low} is not below high = {metric.high}"


@_check
def gives_finite_values_within_its_bounds(case: MetricCase) -> None:
    """Of real images and of noise the value is a finite number, between `low` and `high`."""
    metric = case.metric
    for what, score in (("real images", case.of_real), ("noise", case.of_noise)):
        low = -math.inf if metric.low is None else metric.low
        high = math.inf if metric.high is None else metric.high
        room = 1e-9 * max(1.0, abs(score.value))
        assert low - room <= score.value <= high + room, (
            f"{case.name}: of {what} it is {score.value:.6g}, beyond its bounds, low = {metric.low} and high ="
            f" {metric.high}"
        )


@_check
def prefers_real_images_to_noise(case: MetricCase) -> None:
    """In the direction that it states, real images are better than noise.

    Of likelihoods, which are not of samples, and of metrics that compare with training images alone, nothing is asked:
    noise is no copy.
    """
    real, noise, direction = case.of_real.value, case.of_noise.value, case.metric.direction
    needs = set(case.metric.needs)
    if direction == "neither" or "likelihood" in needs or ("train" in needs and "reference" not in needs):
        return
    better = real < noise if direction == "lower" else real > noise
    assert better, (
        f'{case.name}: direction = "{direction}", but real images have {real:.6g} and noise {noise:.6g}: state the'
        ' other direction, or "neither"'
    )


@_check
def is_pure(case: MetricCase) -> None:
    """The same samples give the same value, whatever was computed between; `compute` changes nothing it is given."""
    context, untouched = case.real(), case.real()
    first = case.score(context)
    for part in ("images", "features", "probabilities", "labels"):
        now, before = getattr(context, part), getattr(untouched, part)
        same = now is None or torch.equal(now, before)
        assert same, f"{case.name}: compute changed the context's {part}: other metrics are computed from them"
    for part, before in case.untouched.items():
        same = torch.equal(getattr(context.real, part), before)
        assert same, f"{case.name}: compute changed the reference's {part}: other metrics are computed from them"
    assert case.of_noise
    again = case.score(case.real())
    assert again == first, (
        f"{case.name}: the same samples gave {first.value!r} and then {again.value!r}: seed what is drawn"
    )


@_check
def takes_few_samples(case: MetricCase) -> None:
    """Two samples, three and twenty have a value, or a ValueError of one line says why they have none."""
    for n in SEVERAL:
        try:
            case.score(case.real(n))
        except ValueError as error:
            told = str(error).strip()
            case.calling = ""
            one_line = told and "\n" not in told
            assert one_line, f"{case.name}: of {n} samples its ValueError is not one line: say why they have no value"


@_check
def names_its_needs(case: MetricCase) -> None:
    """What `compute` uses is in `needs`: without the rest of what there may be, the value is there too."""
    needs, bare = set(case.metric.needs), case.bare()
    lacking = [need for need in NEEDS if need not in needs and not bare.has(need)]
    try:
        case.score(bare)
    except Exception as error:
        raise AssertionError(
            f"{case.name}: compute uses what its needs do not name ({type(error).__name__}): add what it uses to needs,"
            f" of {', '.join(lacking)}, and it is skipped where that is not there ({LACKING}...)"
        ) from error


METRIC_CHECKS = (
    says_what_it_is,
    gives_finite_values_within_its_bounds,
    prefers_real_images_to_noise,
    is_pure,
    takes_few_samples,
    names_its_needs,
)


def check_metric(metric: Metric) -> None:
    """Run every check on a metric. Raises AssertionError, with a line for each rule that is broken."""
    require(METRIC_CHECKS, MetricCase(metric))
