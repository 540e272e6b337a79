from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.boards.estimate import Estimate, estimate
from ganbench.boards.formatting import BLANK, first_place, interval, metric_value, plus_minus
from ganbench.metric import HEADLINE, MetricInfo, Score

from .factory import METRICS, board, make, seeds


def of(*values: float, metric: MetricInfo = HEADLINE) -> Estimate | None:
    return estimate([Score(value=value) for value in values], metric)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (29.13, "29.1"), (99.96, "100"), (1234.5, "1234"), (0.12345, "0.123"), (0.00123, "0.00123"),
        (3.21e-11, "3.21e-11"), (2.5e14, "2.50e+14"), (999_999.0, "1.00e+06"),
    ],
)  # fmt: skip
def test_distances_have_three_significant_digits(value: float, text: str) -> None:
    assert metric_value(value, HEADLINE) == text


def test_other_metrics_have_their_own_decimals() -> None:
    assert metric_value(0.98765, METRICS["recall"]) == "0.988"
    assert metric_value(9.4321, METRICS["is"]) == "9.43"


def test_a_distance_has_its_interval_everywhere_since_it_is_lopsided() -> None:
    found = of(8.0, 10.0, 12.5)
    assert found and found.low and found.high
    assert found.high - found.mean > 1.5 * (found.mean - found.low)
    assert plus_minus(found, HEADLINE) == interval(found, HEADLINE) == "10.0 [5.74, 17.4]"
    assert plus_minus(of(10.0), HEADLINE) == "10.0"
    assert plus_minus(of(7.0, 8.0, metric=METRICS["is"]), METRICS["is"]) == "7.50 ± 6.35"
    assert plus_minus(None, HEADLINE) == interval(None, HEADLINE) == BLANK


def test_the_first_place_is_one_model_or_those_that_are_not_told_apart(tmp_path: Path) -> None:
    pair = [*seeds("a", (10.0, 10.5, 11.0)), *seeds("b", (20.0, 21.0, 22.0))]
    assert first_place(board(tmp_path / "one", pair)) == "best: a (FID 10.5 [9.32, 11.8])"
    close = [each for at in range(7) for each in seeds(f"m{at}", (10.0 + at / 9, 12.0, 14.0))]
    said = first_place(board(tmp_path / "many", close))
    assert said.startswith("best: one of m0 (FID")
    assert "m4" in said
    assert said.endswith(" and 2 more, which these seeds do not tell apart")


def test_the_first_place_says_when_rows_are_not_judged(tmp_path: Path) -> None:
    pair = [*seeds("a", (10.0, 10.5, 11.0)), *seeds("b", (20.0, 21.0, 22.0))]
    lone = make("lone", 0, 1.0)
    found = first_place(board(tmp_path / "lone", [*pair, lone, make("real", role="ceiling")]))
    assert found.startswith("best of those with two seeds or more: a (FID")
    nobody = first_place(board(tmp_path / "nobody", [*pair[:3], lone]))
    assert nobody == "best: not known, since that takes two models with two seeds each"
