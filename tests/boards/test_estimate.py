from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganbench.boards.estimate import LEAST, Estimate, estimate, is_logarithmic
from ganbench.boards.welch import probability_less
from ganbench.metric import HEADLINE, MetricInfo, Score

from .factory import METRICS

IS, RECALL = METRICS["is"], METRICS["recall"]
Values = list[float]
repeatable = settings(deadline=None, derandomize=True)
distances = st.lists(st.floats(0.01, 1000), min_size=1, max_size=6)


def of(
    values: Values | tuple[float, ...], metric: MetricInfo = HEADLINE, se: float | None = None, **more: float
) -> Estimate:
    found = estimate([Score(value=value, se=se) for value in values], metric, **more)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("values", [(20.0, 21.0), (19.0, 20.0, 21.5), (3.0, 1.0, 4.0, 1.5, 9.0)])
def test_of_fid_it_is_the_t_interval_of_logarithms(values: tuple[float, ...]) -> None:
    found, logs = of(values), np.log(values)
    low, high = np.exp(stats.t.interval(0.95, len(values) - 1, logs.mean(), stats.sem(logs)))
    assert found.mean == pytest.approx(stats.gmean(values), rel=1e-12)
    assert (found.low, found.high, found.n) == (pytest.approx(low), pytest.approx(high), len(values))
    assert found.sample.mean == pytest.approx(logs.mean())
    assert found.sample.variance == pytest.approx(logs.var(ddof=1))


@pytest.mark.parametrize("values", [(7.0, 8.0), (7.0, 8.5, 8.6)])
def test_of_what_is_not_a_distance_it_is_the_t_interval_of_values(values: tuple[float, ...]) -> None:
    found = of(values, METRICS["density"])
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert found.mean == found.sample.mean == pytest.approx(np.mean(values))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.half_width == pytest.approx((high - low) / 2)


def test_which_metrics_are_compared_as_logarithms() -> None:
    assert is_logarithmic(HEADLINE)
    signed = HEADLINE.model_copy(update={"low": None})
    share = HEADLINE.model_copy(update={"high": 1.0})
    assert not any(map(is_logarithmic, (IS, RECALL, METRICS["density"], signed, share)))


def test_bounded_metrics_are_cut_to_their_range_and_half_width_is_of_the_side_that_is_not() -> None:
    found = of((0.90, 0.99, 0.99), RECALL)
    assert found.mean == pytest.approx(0.96)
    assert found.high == 1.0
    assert found.low is not None and found.low < 0.93
    assert found.half_width == pytest.approx(found.mean - found.low)
    low = of((1.1, 9.0), IS)
    assert low.low == 1.0
    assert low.half_width is not None and low.high is not None and low.half_width == pytest.approx(low.high - low.mean)


@repeatable
@given(distances, st.floats(0, 0.5))
def test_an_interval_of_distances_never_reaches_0_and_holds_the_mean(values: Values, relative: float) -> None:
    found = of(values, se=relative * values[0])
    assert found.low is not None and found.high is not None
    assert 0 <= found.low <= found.mean * (1 + 1e-12)
    assert found.mean * (1 - 1e-12) <= found.high
    assert min(values) * (1 - 1e-9) <= found.mean <= max(values) * (1 + 1e-9)


@repeatable
@given(distances, distances, st.floats(0.01, 100))
def test_the_unit_of_fid_changes_no_comparison(a: Values, b: Values, unit: float) -> None:
    plain = [of(values, se=0.02) for values in (a, b)]
    scaled = [of([unit * value for value in values], se=unit * 0.02) for values in (a, b)]
    for one, other in zip(plain, scaled, strict=True):
        assert other.mean == pytest.approx(unit * one.mean)
        assert one.high is not None and other.high == pytest.approx(unit * one.high, rel=1e-6)
    told, again = (probability_less(x.sample, y.sample) for x, y in (plain, scaled))
    assert told is again is None or told == pytest.approx(again, abs=1e-6)


def test_the_noise_of_the_scored_images_is_the_least_variance() -> None:
    lucky, spread = of((10.0, 10.0, 10.0), se=0.5), of((8.0, 10.0, 12.5), se=0.5)
    assert lucky.sample.variance == pytest.approx(0.05**2, rel=0.01)
    assert spread.sample.variance == pytest.approx(np.log((8.0, 10.0, 12.5)).var(ddof=1))
    assert lucky.low is not None and lucky.high is not None and lucky.low < 9 < 11 < lucky.high
    mixed = estimate([Score(value=10, se=1.0), Score(value=10, se=0.5), Score(value=10)], HEADLINE)
    assert mixed is not None and mixed.sample.variance == pytest.approx((0.1**2 + 0.05**2) / 2, rel=0.01)
    assert of((0.5, 0.5), RECALL, se=0.1).sample.variance == pytest.approx(0.01)


def test_without_spread_and_standard_error_the_interval_is_a_point() -> None:
    found = of((20.0, 20.0))
    assert found.low == found.high == found.mean == pytest.approx(20)
    assert found.half_width == 0.0


def test_one_seed_has_the_interval_of_the_scored_images_and_none_over_seeds() -> None:
    found = of([5.0], se=0.25)
    assert (found.mean, found.n, found.half_width) == (5.0, 1, None)
    assert (found.low, found.high) == pytest.approx((5 * math.exp(-0.098), 5 * math.exp(0.098)), rel=1e-3)
    share = of([0.99], RECALL, se=0.01)
    assert (share.low, share.high) == (pytest.approx(0.9704, abs=1e-4), 1.0)
    bare = of([5.0])
    assert (bare.mean, bare.low, bare.high, bare.half_width) == (5.0, None, None, None)
    assert estimate([], HEADLINE) is None
    assert estimate([], HEADLINE, worst=900.0, failed=3) is None


@repeatable
@given(st.floats(1e-9, 1e9))
def test_one_seed_shows_its_value_to_the_last_digit(value: float) -> None:
    assert of([value]).mean == value


def test_failed_runs_count_as_the_worst() -> None:
    found, spelled = of((10.0, 12.0), worst=500.0, failed=2), of((10.0, 12.0, 500.0, 500.0))
    assert found == spelled
    assert found.mean == pytest.approx((10 * 12 * 500 * 500) ** 0.25)
    better = of((10.0, 12.0))
    chance = probability_less(better.sample, found.sample)
    assert chance is not None and chance > 0.9


def test_one_run_of_two_that_failed_leaves_an_interval_over_two_seeds() -> None:
    found = of([10.0], worst=900.0, failed=1)
    assert (found.n, found.mean) == (2, pytest.approx(math.sqrt(9000)))
    assert found.high is not None and found.high > 1e9, "and is of no use"


@pytest.mark.parametrize("value", [0.0, LEAST / 2])
def test_a_distance_of_0_is_floored_before_its_logarithm(value: float) -> None:
    found = of((value, 1.0), se=0.5)
    assert found.sample.mean == pytest.approx(math.log(LEAST) / 2)
    single = of([value], se=0.5)
    assert single.mean == value
    assert single.high is not None and math.isfinite(single.high)


def test_the_error_of_a_logarithm_is_that_of_the_value_relative_to_it() -> None:
    draw = np.random.default_rng(0)
    for relative in (0.02, 0.1, 0.3):
        values = 10 * draw.lognormal(0, math.sqrt(math.log1p(relative**2)), 200_000)
        found = of([float(values.mean())], se=float(values.std()))
        assert found.sample.variance == pytest.approx(np.log(values).var(), rel=0.02)


def test_ends_beyond_the_largest_number_are_infinite() -> None:
    assert of((1e-6, 1e300)).high == math.inf
