"""The grammar of budgets, and what they admit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench.budget import GRAMMAR, Budget
from ganbench.errors import RequestError


@pytest.mark.parametrize(
    ("text", "budget", "canonical"),
    [
        ("100kimg", Budget(images=100_000), "100kimg"),
        ("1500img", Budget(images=1500), "1500img"),
        ("1.5kimg", Budget(images=1500), "1500img"),
        ("1.001kimg", Budget(images=1001), "1001img"),  # 1.001 * 1000 is 1000.9999999999999 in floating point
        ("0.07kimg", Budget(images=70), "70img"),
        ("2000steps", Budget(steps=2000), "2000steps"),
        ("1step", Budget(steps=1), "1steps"),
        ("90s", Budget(seconds=90), "90s"),
        ("5m", Budget(seconds=300), "300s"),
        ("1.5h", Budget(seconds=5400), "5400s"),
        ("300h", Budget(seconds=1_080_000), "1080000s"),
        (" 5M , 100kImg,10 steps", Budget(images=100_000, steps=10, seconds=300), "100kimg,10steps,300s"),
    ],
)
def test_a_budget_is_read_and_has_one_spelling(text: str, budget: Budget, canonical: str) -> None:
    assert Budget.parse(text) == budget
    assert str(budget) == canonical
    assert Budget.parse(canonical) == budget


amount = st.none() | st.integers(1, 10**9)


@settings(deadline=None)
@given(amount, amount, st.none() | st.integers(1, 10**10).map(lambda milliseconds: milliseconds / 1000))
def test_the_spelling_says_the_whole_budget(images: int | None, steps: int | None, seconds: float | None) -> None:
    if (images, steps, seconds) != (None, None, None):
        budget = Budget(images, steps, seconds)
        assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", GRAMMAR), ("100", GRAMMAR), ("kimg", GRAMMAR), ("-5steps", "'-5steps'"), ("5 parsecs", "'5 parsecs'"),
        ("100kimg,,5m", GRAMMAR), ("1e3steps", GRAMMAR), ("100kimg 5m", GRAMMAR), ("100kimg;5m", GRAMMAR),
        ("nan s", GRAMMAR), ("infs", GRAMMAR), ("5m\n,10", "'10'"),
        ("0steps", "zero"), ("0kimg", "zero"), ("0.0m", "zero"), ("5steps,0s", "'0s' is zero"),
        ("5m,90s", "two limits on seconds"), ("100kimg,5img", "two limits on images"),
        ("1step,1step", "two limits on steps"),
        ("1.5steps", "whole number of steps"), ("0.0001kimg", "whole number of images"),
        ("9" * 400 + "steps", "budget"), ("9" * 400 + "s", "budget"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_budget_is_explained_in_one_line(text: str, said: str) -> None:
    with pytest.raises(RequestError) as refusal:
        Budget.parse(text)
    assert str(refusal.value).startswith("budget ")
    assert "\n" not in str(refusal.value)
    assert said in str(refusal.value)


def test_the_limit_that_is_nearest_decides_the_share() -> None:
    budget = Budget(images=1000, steps=100, seconds=10)
    assert budget.share(images=500, steps=20, seconds=1) == 0.5
    assert budget.share(images=500, steps=90, seconds=1) == 0.9
    assert budget.share(images=500, steps=90, seconds=12) == 1.2
    assert Budget(steps=4).share(images=10**9, steps=1, seconds=10**9) == 0.25


@pytest.mark.parametrize(
    ("counts", "admitted"),
    [((1000, 100, 9.9), True), ((1001, 100, 9.9), False), ((1000, 101, 9.9), False), ((1000, 100, 10.0), False)],
)
def test_any_limit_can_end_it(counts: tuple[int, int, float], admitted: bool) -> None:
    images, steps, seconds = counts
    assert Budget(images=1000, steps=100, seconds=10).admits(images=images, steps=steps, seconds=seconds) is admitted
