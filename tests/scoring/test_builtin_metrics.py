"""The shipped metrics: what each needs, what is skipped and why, and what a score holds beside its value."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ganbench import Metric, Score
from ganbench.data.dataset import Dataset
from ganbench.data.embedded import load_digits
from ganbench.extractors.base import Features
from ganbench.extractors.bundled import LENETS
from ganbench.metric import NEEDS, STANDARD, flatten
from ganbench.metrics import density_coverage, frechet_distance, jackknife, kernel_distance, precision_recall
from ganbench.metrics.fid import gaussian_of
from ganbench.registry.builtin_metrics import METRICS
from ganbench.scoring.evaluator import EvaluationResult, Evaluator
from ganbench.scoring.metric_context import Classifier, MetricContext, Real

CPU = torch.device("cpu")
BY_NAME = {metric.name: metric for metric in METRICS}


@pytest.fixture(scope="module")
def evaluator(mnist5k: Dataset) -> Evaluator:
    return Evaluator(mnist5k, LENETS[0].load(CPU, None), LENETS[0].identity(None), METRICS, oracle=True, device=CPU)


@pytest.fixture(scope="module")
def result(evaluator: Evaluator, mnist5k: Dataset) -> EvaluationResult:
    """Of real images, with labels: everything applies."""
    images, labels = torch.from_numpy(mnist5k.validation.images), torch.from_numpy(mnist5k.validation.labels)
    schedule = Classifier(100, seed=3, count=2, random_labels=True)
    return evaluator.score(images, labels, classifier=schedule)


def metric(name: str, compute: Callable[[MetricContext], float | Score], **more: object) -> Metric:
    fields = {"title": name, "direction": "lower", "meaning": "for a test", "source": "tests"}
    return Metric(name=name, compute=compute, **fields | more)


def context(n: int = 60, d: int = 8, **more: object) -> MetricContext:
    generator = torch.Generator().manual_seed(0)
    reference, fake = torch.randn(2, n, d, generator=generator)
    return MetricContext(Real(None, None, reference), torch.zeros(n, 1, 4, 4, dtype=torch.uint8), fake + 0.5, **more)


def test_every_standard_metric_is_registered_and_its_column_comes_in_this_order() -> None:
    assert tuple(BY_NAME)[: len(STANDARD)] == STANDARD
    assert {need for each in METRICS for need in each.needs} <= set(NEEDS)


def test_all_but_what_is_of_points_or_of_the_model_applies_to_labelled_digits(result: EvaluationResult) -> None:
    assert set(result.skipped.values()) <= {"needs modes", "needs likelihood"}
    assert set(result.scores) == set(BY_NAME) - set(result.skipped) >= set(STANDARD)
    for name, score in result.scores.items():
        low, high = BY_NAME[name].low, BY_NAME[name].high
        assert score.n == 1000
        assert low is None or score.value >= low, name
        assert high is None or score.value <= high, name


def test_real_digits_score_as_real_digits_should(result: EvaluationResult) -> None:
    found = {name: score.value for name, score in result.scores.items()}
    assert abs(found["copying"]) < 3  # in deviations: unseen images copy nothing
    assert abs(found["kid"]) < 1  # noise has more than 1,000 in these features
    assert found["fid_infinity"] < found["fid"] < found["fid_classes"]  # the bias grows as rows get fewer
    assert found["gan_test"] > 0.97
    assert found["cas"] > 0.85


def test_accuracies_say_what_they_are_made_of(result: EvaluationResult) -> None:
    score = result.scores["cas"]
    assert score.value == pytest.approx(sum(score.details["by_seed"]) / 2)
    assert len(set(score.details["by_seed"])) == 2
    assert score.sd == pytest.approx(abs(score.details["by_seed"][0] - score.details["by_seed"][1]) / math.sqrt(2))
    assert score.value == pytest.approx(sum(score.details["by_class"]) / 10)  # classes are balanced
    assert 0.03 < score.details["random_labels"] < 0.2
    assert sum(result.scores["cas_oracle"].details["samples_by_class"]) == 1000
    assert len(result.scores["fid_classes"].details["by_class"]) == 10


def test_random_labels_are_for_the_ceiling_only(evaluator: Evaluator, mnist5k: Dataset) -> None:
    made = torch.from_numpy(mnist5k.validation.images[:50]), torch.from_numpy(mnist5k.validation.labels[:50])
    context = MetricContext(evaluator.real, made[0], torch.zeros(50, 2), labels=made[1], classifier=Classifier(1, 0))
    assert "random_labels" not in BY_NAME["cas"].score(context).details


@pytest.mark.parametrize(
    ("images", "bits", "said"),
    [
        ("256 levels", -7.5, "below -7 is impossible"), ("256 levels", -6.9, None), ("256 levels", 3.0, None),
        ("two values", -0.1, "at most 1"), ("two values", 0.0, None), ("two values", 0.2, None),
    ],
)  # fmt: skip
def test_likelihoods_that_no_distribution_has_are_not_scored(images: str, bits: float, said: str | None) -> None:
    levels = torch.arange(256, dtype=torch.uint8) if images == "256 levels" else torch.tensor([0, 255]).byte()
    real = Real(levels.repeat(200)[:400].view(25, 1, 4, 4), None, None)
    bounds = torch.full((25,), -bits)
    made = MetricContext(real, torch.zeros(9, 1, 4, 4).byte(), torch.zeros(9, 2), log_likelihood=bounds)
    for name, unit in (("bits_per_dim", 1), ("nats", 16 * math.log(2))):
        if said is None:
            assert BY_NAME[name].score(made).value == pytest.approx(bits * unit)
        else:
            with pytest.raises(ValueError, match=said):
                BY_NAME[name].score(made)


def test_an_impossible_likelihood_skips_its_columns_and_says_why(digits: Dataset) -> None:
    metrics = [BY_NAME[name] for name in ("fid", "nats", "bits_per_dim")]
    evaluator = Evaluator(digits, Pixels(), "pixels", metrics, oracle=False, device=CPU)
    result = evaluator.score(torch.from_numpy(digits.validation.images), log_likelihood=torch.full((100,), 7.5))
    assert set(result.scores) == {"fid"}
    assert result.skipped["bits_per_dim"] == result.skipped["nats"]
    assert result.skipped["nats"].startswith("-7.5 bits per dimension: below -7 is impossible for 256 levels")


def test_a_curve_point_does_without_what_is_dear(evaluator: Evaluator, mnist5k: Dataset) -> None:
    images, labels = (
        torch.from_numpy(mnist5k.validation.images[:100]),
        torch.from_numpy(mnist5k.validation.labels[:100]),
    )
    found = evaluator.score(images, labels, classifier=Classifier(10, seed=0), final=False)
    dear = {name for name, reason in found.skipped.items() if reason == "needs final"}
    assert dear == {"copying", "cas", "cas_oracle", "duplicates", "leaks", "spectrum"}
    assert "fid_se" not in flatten(found.scores)


def test_scores_are_those_of_the_public_functions() -> None:
    made = context()
    real, fake = made.reference, made.features
    found = flatten(
        {name: BY_NAME[name].score(made) for name in ("fid", "precision", "recall", "density", "coverage", "kid")}
    )
    value, error = jackknife(lambda rows: frechet_distance(real, rows), fake)
    assert (found["fid"], found["fid_se"]) == (pytest.approx(value, rel=1e-9), pytest.approx(error, rel=1e-6))
    assert (found["precision"], found["recall"]) == precision_recall(real, fake)
    assert (found["density"], found["coverage"]) == density_coverage(real, fake)
    assert found["kid"] == pytest.approx(kernel_distance(real, fake, subsets=1, subset_size=60)[0], rel=1e-5)


def test_moments_alone_give_the_same_fid() -> None:
    made = context()
    known = Real(None, None, None, moments=gaussian_of(made.reference))
    alone = MetricContext(known, made.images, made.features)
    assert not alone.has("reference")
    found, expected = (BY_NAME["fid"].score(each) for each in (alone, made))
    assert (found.value, found.se) == (pytest.approx(expected.value), pytest.approx(expected.se, rel=1e-5))


class Pixels:
    def __call__(self, images: Tensor) -> Features:
        return Features(images.flatten(1).float(), None)


def evaluated(*metrics: Metric, fid: Metric = METRICS[0]) -> EvaluationResult:
    digits = load_digits()
    evaluator = Evaluator(digits, Pixels(), "pixels", (fid, *metrics), oracle=False, device=CPU)
    return evaluator.score(torch.from_numpy(digits.validation.images))


def test_a_metric_that_fails_leaves_the_others_their_scores() -> None:
    def typo(context: MetricContext) -> float:
        return context.featurs.mean()

    found = evaluated(
        metric("broken", typo), metric("endless", lambda context: math.nan),
        metric("mean", lambda context: float(context.features.mean())),
        metric("asks", lambda context: 0, needs=("labels",)),
    )  # fmt: skip
    assert set(found.scores) == {"fid", "mean"}
    assert "AttributeError" in found.skipped["broken"]
    assert found.skipped["endless"] == "metric 'endless': its value is nan"
    assert found.skipped["asks"] == "needs labels"


def test_the_headline_s_failure_is_the_run_s() -> None:
    with pytest.raises(ValueError, match="'fid': its value is inf"):
        evaluated(fid=metric("fid", lambda context: math.inf))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Mine"}, "pattern"), ({"name": "mine_low"}, "companions"),
        ({"needs": ("feature",)}, "nothing is called"), ({"version": 0}, "greater than or equal to 1"),
        ({"direction": "up"}, "'lower', 'higher' or 'neither'"),
    ],
)  # fmt: skip
def test_a_metric_that_boards_could_not_show_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        metric(**{"name": "mine", "compute": lambda context: 0.0} | change)
