from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganbench.boards.welch import (
    Sample,
    detectable_gap,
    difference_interval,
    holm,
    places,
    possible_firsts,
    probabilities_less,
    probability_less,
    probability_next_less,
    seeds_to_tell_apart,
)

Values = list[float]
repeatable = settings(deadline=None, derandomize=True)
thousandths = st.integers(-5000, 5000).map(lambda count: count / 1000)  # SciPy warns of values such as 1e-308
drawn = st.lists(thousandths, min_size=2, max_size=7).filter(lambda values: np.var(values) > 1e-6)
samples = st.builds(Sample, st.floats(-9, 9), st.floats(0, 9), st.integers(1, 9))


def sample(values: Values) -> Sample:
    return Sample(float(np.mean(values)), float(np.var(values, ddof=1)), len(values))


def random_boards(count: int) -> list[list[Sample]]:
    """Return boards on which some rows have a single seed, some no spread, and some are equal."""
    draw = np.random.default_rng(3)
    boards = []
    for _ in range(count):
        board = [
            Sample(float(draw.integers(0, 8) / 2), float(draw.choice([0.0, 0.1, 1.0])), int(draw.integers(1, 6)))
            for _ in range(draw.integers(1, 12))
        ]
        boards.append(board + board[:1])
    return boards


@repeatable
@given(drawn, drawn)
def test_the_probability_is_one_less_the_one_sided_p_value_of_welch(a: Values, b: Values) -> None:
    found = probability_less(sample(a), sample(b))
    less, greater = (stats.ttest_ind(a, b, equal_var=False, alternative=which) for which in ("less", "greater"))
    assert found == pytest.approx(1 - less.pvalue, abs=1e-9)
    assert found == pytest.approx(greater.pvalue, abs=1e-9)


@repeatable
@given(drawn, drawn, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_the_same_test(a: Values, b: Values, confidence: float) -> None:
    found = difference_interval(sample(a), sample(b), confidence)
    told = stats.ttest_ind(b, a, equal_var=False).confidence_interval(confidence)
    assert found == pytest.approx((told.low, told.high), rel=1e-6, abs=1e-9)


@repeatable
@given(drawn, drawn)
def test_interval_and_probability_agree_on_what_is_told_apart(a: Values, b: Values) -> None:
    chance, interval = probability_less(sample(a), sample(b)), difference_interval(sample(a), sample(b))
    assert chance is not None and interval is not None
    if abs(chance - 0.975) > 1e-9 and abs(chance - 0.025) > 1e-9:
        assert (interval[0] > 0 or interval[1] < 0) == (chance > 0.975 or chance < 0.025)


@pytest.mark.parametrize("probability", [probability_less, probability_next_less])
@repeatable
@given(a=samples, b=samples)
def test_either_a_is_less_or_b(probability: Callable[[Sample, Sample], float | None], a: Sample, b: Sample) -> None:
    one, other = probability(a, b), probability(b, a)
    if min(a.n, b.n) < 2:
        assert one is other is difference_interval(a, b) is None
    else:
        assert one is not None and other is not None
        assert 0 <= one <= 1
        assert one + other == pytest.approx(1)


@repeatable
@given(samples, samples, st.floats(0, 9))
def test_a_larger_gap_is_surer_and_a_single_seed_is_less_sure_than_a_mean(a: Sample, b: Sample, more: float) -> None:
    farther = Sample(b.mean + more, b.variance, b.n)
    for probability in (probability_less, probability_next_less):
        one, other = probability(a, b), probability(a, farther)
        assert (one is None) == (other is None)
        assert one is None or other is None or other >= one - 1e-12
    mean, following = probability_less(a, b), probability_next_less(a, b)
    if a.n == b.n and mean is not None and following is not None:  # the same degrees of freedom
        assert abs(following - 0.5) <= abs(mean - 0.5) + 1e-12


@repeatable
@given(drawn, drawn, st.floats(-9, 9), st.floats(0.01, 100))
def test_shift_and_unit_change_nothing(a: Values, b: Values, shift: float, unit: float) -> None:
    moved = [sample([shift + unit * value for value in values]) for values in (a, b)]
    for probability in (probability_less, probability_next_less):
        assert probability(*moved) == pytest.approx(probability(sample(a), sample(b)), abs=1e-6)


def test_rows_without_variance_are_told_apart_by_any_gap() -> None:
    a, b = Sample(1.0, 0.0, 2), Sample(2.0, 0.0, 3)
    for probability in (probability_less, probability_next_less):
        assert (probability(a, b), probability(b, a), probability(a, a)) == (1.0, 0.0, 0.5)
    assert difference_interval(a, b) == (1.0, 1.0)
    assert a.half_width() == 0.0
    assert Sample(1.0, 0.0, 1).half_width() == math.inf
    assert places([a, b]) == [(1, 1), (2, 2)]


@pytest.mark.parametrize("variance", [5e-324, 1e-200, 1e200, 1e300])
def test_no_variance_is_too_small_or_too_large(variance: float) -> None:
    a, b = Sample(0.0, variance, 3), Sample(0.0, variance / 2, 3)
    assert probability_less(a, b) == probability_next_less(a, b) == 0.5
    found = difference_interval(a, b)
    assert found is not None and found[1] == -found[0]


def test_one_row_without_variance_leaves_the_degrees_of_freedom_of_the_other() -> None:
    found = probability_less(Sample(0.0, 0.0, 9), Sample(1.0, 3.0, 3))
    assert found == pytest.approx(stats.t.cdf(1.0, 2))


def test_the_next_seed_is_judged_by_the_variance_of_a_prediction() -> None:
    a, b = Sample(0.0, 1.0, 3), Sample(2.0, 4.0, 5)
    parts = np.array([1.0 * 4 / 3, 4.0 * 6 / 5])
    df = parts.sum() ** 2 / (parts**2 / [2, 4]).sum()
    assert probability_next_less(a, b) == pytest.approx(stats.t.cdf(2 / math.sqrt(parts.sum()), df))


def test_the_next_seed_is_less_as_often_as_was_said() -> None:
    draw = np.random.default_rng(0)
    count, n = 6000, 3
    a = draw.normal(0, 1, (count, n + 1))
    b = draw.normal(draw.uniform(-4, 4, (count, 1)), 1, (count, n + 1))
    said = np.array([probability_next_less(sample(x), sample(y)) for x, y in zip(a[:, :n], b[:, :n], strict=True)])
    true = a[:, n] < b[:, n]
    for low, high in ((0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9)):
        these = (low < said) & (said < high)
        assert these.sum() > 500
        assert true[these].mean() == pytest.approx(said[these].mean(), abs=0.06)


def test_equal_rows_are_told_apart_in_one_case_of_twenty_at_most() -> None:
    draw = np.random.default_rng(1)
    count = 4000
    for spreads in ((1.0, 1.0), (0.2, 1.0)):
        a, b = (draw.normal(0, spread, (count, 3)) for spread in spreads)
        said = np.array([probability_less(sample(x), sample(y)) for x, y in zip(a, b, strict=True)])
        apart = np.mean((said < 0.025) | (said > 0.975))
        assert 0.02 < apart < 0.065


def test_the_probabilities_of_all_pairs_are_those_of_each() -> None:
    draw = random.Random(3)
    spreads = (0.0, 1e-300, 0.3, 2.0)
    samples = [Sample(draw.gauss(0, 1), draw.choice(spreads), draw.choice((1, 2, 5))) for _ in range(40)]
    found = probabilities_less([*samples, samples[0]])
    for row, a in enumerate([*samples, samples[0]]):
        for column, b in enumerate([*samples, samples[0]]):
            single = probability_less(a, b)
            assert found[row, column] == pytest.approx(math.nan if single is None else single, abs=1e-12, nan_ok=True)


def test_places_by_brute_force() -> None:
    for board in random_boards(40):
        for own, (best, worst) in zip(board, places(board), strict=True):
            intervals = [difference_interval(own, rival) for rival in board]
            beaten = sum(found is not None and found[1] < 0 for found in intervals)
            beats = sum(found is not None and found[0] > 0 for found in intervals)
            assert (best, worst) == (1 + beaten, len(board) - beats)
            assert 1 <= best <= worst <= len(board)
            if own.n == 1:
                assert (best, worst) == (1, len(board))


def test_possible_firsts_by_brute_force() -> None:
    sizes = set()
    for board in random_boards(200):
        judged = [each for each in board if each.n > 1]
        found = possible_firsts(board)
        sizes.add(sum(found))
        for own, may in zip(board, found, strict=True):
            confidence = 1 - 2 * 0.05 / max(1, len(judged) - 1)
            intervals = [difference_interval(own, rival, confidence) for rival in judged]
            beaten = any(each is not None and each[1] < 0 for each in intervals)
            assert may == (own.n > 1 and len(judged) > 1 and not beaten)
        if len(judged) > 1:
            assert found[board.index(min(judged, key=lambda each: each.mean))]
    assert {0, 1, 2, 3} < sizes


def test_no_rows_and_one_row() -> None:
    assert (places([]), possible_firsts([])) == ([], [])
    assert (places([Sample(1, 1, 3)]), possible_firsts([Sample(1, 1, 3)])) == ([(1, 1)], [False])


def test_the_best_of_many_equals_is_kept_with_joint_confidence() -> None:
    """Twelve equal models and one that is a little better: the first place keeps it, though pairs are at 5 % each."""
    draw = np.random.default_rng(2)
    kept = []
    for _ in range(400):
        board = [sample(list(draw.normal(0.0 if at else -0.1, 1, 3))) for at in range(13)]
        kept.append(possible_firsts(board)[0])
    assert np.mean(kept) >= 0.95


@pytest.mark.parametrize(
    ("gap", "spreads"), [(1.0, (1.0, 1.0)), (2.0, (1.0, 1.0)), (0.5, (0.1, 0.5)), (1.0, (0.2, 1.0))]
)
def test_seeds_to_tell_apart_have_the_power_that_is_said_and_one_less_has_not(
    gap: float, spreads: tuple[float, float]
) -> None:
    n = seeds_to_tell_apart(Sample(0.0, spreads[0] ** 2, 3), Sample(gap, spreads[1] ** 2, 3))
    assert n is not None and n > 2
    draw = np.random.default_rng(4)
    told = {}
    for seeds in (n - 1, n):
        a, b = draw.normal(0, spreads[0], (20_000, seeds)), draw.normal(gap, spreads[1], (20_000, seeds))
        test = stats.ttest_ind(a, b, axis=1, equal_var=False)
        told[seeds] = np.mean((test.pvalue < 0.05) & (test.statistic < 0))
    assert told[n] > 0.78
    assert told[n - 1] < 0.82


def test_seeds_to_tell_apart_grow_as_the_gap_shrinks_and_end_somewhere() -> None:
    def needed(gap: float, power: float = 0.8) -> int | None:
        return seeds_to_tell_apart(Sample(0.0, 1.0, 3), Sample(gap, 1.0, 3), power=power)

    found = [needed(gap) for gap in (1e9, 10.0, 3.0, 1.0, 0.5, 0.2)]
    assert found[0] == 2
    assert all(a is not None and b is not None and a <= b for a, b in itertools.pairwise(found))
    assert needed(-1.0) == needed(1.0)
    assert needed(0.0) is needed(0.01) is None
    assert (needed(1.0, 0.95) or 0) > (needed(1.0) or 0)
    assert seeds_to_tell_apart(Sample(0, 0, 1), Sample(1, 0, 1)) == 2


def test_the_detectable_gap_is_found_with_the_power_that_it_names() -> None:
    rng = np.random.default_rng(0)
    a, b = Sample(0.0, 1.0, 5), Sample(0.0, 1.0, 5)
    gap = detectable_gap(a, b)
    assert gap is not None
    x, y = rng.normal(0, 1, (20_000, 5)), rng.normal(gap, 1, (20_000, 5))
    found = stats.ttest_ind(x, y, axis=1, equal_var=False).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)  # variances are estimated
    assert detectable_gap(a, b, alpha=0.01) > gap
    assert detectable_gap(Sample(0.0, 1.0, 1), b) is None
    assert detectable_gap(Sample(0.0, 0.0, 3), Sample(1.0, 0.0, 3)) == 0


def test_holms_adjustment_is_that_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
