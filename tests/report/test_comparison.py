"""What is said of two models is what SciPy's Welch test says."""

from __future__ import annotations

import itertools
import math

import pytest
from scipy.stats import ttest_ind

from ganbench.boards.estimate import estimate
from ganbench.boards.welch import Sample
from ganbench.metric import HEADLINE, MetricInfo, Score
from ganbench.report.comparison import compare, effect_words, matrix, pairs, percent, verdict

SEEDS = {"a": (19.0, 20.0, 21.5), "b": (20.0, 22.0, 23.0, 21.0), "c": (80.0, 85.0, 90.0), "lone": (50.0,)}
KID = MetricInfo(name="kid", title="KID", direction="lower", digits=2, meaning="x", source="x")


def sample(name: str, metric: MetricInfo = HEADLINE) -> Sample:
    found = estimate([Score(value=value) for value in SEEDS[name]], metric)
    assert found is not None
    return found.sample


def p_value(a: str, b: str) -> float:
    """Return the one-sided p-value of A's log FID being no less than B's."""
    logs = [[math.log(value) for value in SEEDS[name]] for name in (a, b)]
    return float(ttest_ind(*logs, equal_var=False, alternative="less").pvalue)


def test_the_matrix_is_one_minus_the_one_sided_p_value() -> None:
    names = list(SEEDS)
    cells = matrix([sample(name) for name in names])
    for (i, a), (j, b) in itertools.product(enumerate(names), repeat=2):
        cell = cells[i][j]
        if i == j or "lone" in (a, b):
            assert cell is None
            continue
        assert cell is not None
        share = 100 * (1 - p_value(a, b))
        assert cell.text == (">99" if share >= 99.5 else "<1" if share < 0.5 else f"{share:.0f}")
        assert (cell.tint == 6) == (share > 97.5) and (cell.tint == 0) == (share <= 2.5)
        mirrored = cells[j][i]
        assert mirrored is not None and cell.tint + mirrored.tint == 6


def test_a_pair_reads_the_same_in_either_order() -> None:
    for a, b in itertools.combinations(("a", "b", "c"), 2):
        one, other = (compare(sample(x), sample(y), HEADLINE) for x, y in ((a, b), (b, a)))
        assert one is not None and other is not None
        words = effect_words(HEADLINE)
        assert verdict((a, b), one, words) == verdict((b, a), other, words)
        assert one.first is not other.first
        assert one.sure == percent(1 - min(p_value(a, b), p_value(b, a)))
        assert one.told_apart == (min(p_value(a, b), p_value(b, a)) < 0.025)


def test_the_ratio_of_two_models_and_its_interval() -> None:
    pair = compare(sample("c"), sample("a"), HEADLINE)
    assert pair is not None and pair.told_apart and not pair.first
    means = [math.exp(sum(map(math.log, SEEDS[name])) / 3) for name in ("a", "c")]
    logs = [[math.log(value) for value in SEEDS[name]] for name in ("a", "c")]
    low, high = ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    assert [float(each) for each in pair.effect] == pytest.approx(
        [means[0] / means[1], math.exp(low), math.exp(high)], rel=0.01
    )
    assert verdict(("c", "a"), pair, effect_words(HEADLINE))[0] == "a is better"


def test_a_metric_that_may_fall_below_0_is_compared_by_differences() -> None:
    pair = compare(sample("a", KID), sample("c", KID), KID)
    assert pair is not None and pair.first
    assert float(pair.effect[0]) == pytest.approx(85 - 60.5 / 3, abs=0.005)
    assert float(pair.effect[1]) < float(pair.effect[0]) < float(pair.effect[2])
    assert effect_words(KID) == "its KID is lower by {} [{}, {}]"


def test_one_seed_is_not_compared() -> None:
    names = list(SEEDS)
    found = pairs([sample(name) for name in names] + [None], HEADLINE)
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    assert compare(sample("a"), sample("lone"), HEADLINE) is None
    assert verdict(("a", "lone"), None, "")[0] == "Not known"


def test_percentages_never_say_that_something_is_certain() -> None:
    assert [percent(chance) for chance in (0.5, 0.876, 0.9899, 0.9991, 1.0)] == ["50.0", "87.6", "99.0", "100", "100"]
    far = compare(Sample(1.0, 1e-9, 5), Sample(9.0, 1e-9, 5), HEADLINE)
    said = verdict(("a", "b"), far, effect_words(HEADLINE))[1]
    assert said.startswith("With probability more than 99.9 %, a is better") and "100" not in said
