"""How submitted seeds are compared with fresh ones, beside SciPy; and which seeds are taken."""

from __future__ import annotations

import math
import statistics

import pytest
from scipy import stats

from ganbench.boards.welch import Sample
from ganbench.errors import RequestError
from ganbench.submission.bundle import open_bundle
from ganbench.submission.retrain import check_seeds, no_difference

from .conftest import Strange

MANY, OTHERS = (3.0, 3.1, 2.9, 3.25), (3.3, 3.35, 3.2)


def sample(*values: float) -> Sample:
    return Sample(statistics.fmean(values), statistics.variance(values) if len(values) > 1 else 0.0, len(values))


def test_two_sides_are_compared_as_rows_of_a_board() -> None:
    p, gap = no_difference(sample(*OTHERS), sample(*MANY))
    assert p == pytest.approx(stats.ttest_ind(OTHERS, MANY, equal_var=False).pvalue)
    assert gap is not None and gap > 0


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("single", [2.9, 3.9, 1.2])
def test_a_single_seed_is_compared_with_what_the_next_would_be(single: float, swap: bool) -> None:
    sides = [sample(single), sample(*MANY)]
    p, _ = no_difference(*(reversed(sides) if swap else sides))
    t = (single - statistics.fmean(MANY)) / (statistics.stdev(MANY) * math.sqrt(1 + 1 / len(MANY)))
    assert p == pytest.approx(2 * stats.t.sf(abs(t), len(MANY) - 1))


def test_two_single_seeds_say_nothing() -> None:
    assert no_difference(sample(1.0), sample(9.0)) == (None, None)


def test_the_best_of_many_seeds_are_found_out() -> None:
    """Three best of a hundred, whose logarithms are normal with a spread of 0.1."""
    drawn = sorted(stats.norm.ppf((at + 0.5) / 100) * 0.1 + 3 for at in range(100))
    fresh = sample(*(drawn[at] for at in (20, 45, 60, 75, 30)))
    p, _ = no_difference(sample(*drawn[:3]), fresh)
    assert p is not None and p < 0.01


def test_which_seeds_are_taken(strange: Strange) -> None:
    bundle = open_bundle(strange.bundle)
    found = check_seeds("4", bundle)
    assert found == check_seeds("4", bundle)
    assert len(set(found)) == 4
    assert min(found) >= 1000
    assert check_seeds("100-102", bundle) == [100, 101, 102]
    assert check_seeds("0, 7,1001", bundle) == [0, 7, 1001]
    for wrong in ("0", "-1", "1,", "2-1", "101", "0-999999999", "٣"):
        with pytest.raises(RequestError, match="--seeds"):
            check_seeds(wrong, bundle)
