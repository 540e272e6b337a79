"""Known answers of the delete-a-group jackknife."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.metrics import frechet_distance
from ganbench.metrics.jackknife import jackknife


def mean(x: np.ndarray) -> float:
    return float(x.mean())


def test_of_a_mean_is_the_textbook_error() -> None:
    x = np.random.default_rng(0).standard_normal((60, 1))
    value, error = jackknife(mean, x, groups=60)
    assert value == pytest.approx(x.mean(), rel=1e-15)
    assert error == pytest.approx(x.std(ddof=1) / np.sqrt(60), rel=1e-12)


def test_of_a_mean_by_groups_is_the_error_of_group_means() -> None:
    x = np.random.default_rng(0).standard_normal((60, 1))
    groups = x[np.random.default_rng(3).permutation(60)].reshape(12, 5).mean(axis=1)
    assert jackknife(mean, x, groups=12, seed=3)[1] == pytest.approx(groups.std(ddof=1) / np.sqrt(12), rel=1e-12)


def test_expected_error() -> None:
    """E error^2 is the variance of the mean, 4 / 100, also where groups differ by a row."""
    random = np.random.default_rng(0)
    for groups in (20, 33):
        squares = [jackknife(mean, 2 * random.standard_normal((100, 1)), groups=groups)[1] ** 2 for _ in range(400)]
        assert abs(np.mean(squares) - 0.04) < 4 * np.std(squares) / np.sqrt(400) < 0.004


@pytest.mark.parametrize("in_turn", [False, True], ids=["sorted", "in turn"])
def test_the_order_of_classes_does_not_matter(in_turn: bool) -> None:
    """Blocks would be one class each in the one case, every 20th row in the other."""
    labels = np.arange(400) % 20
    x = (labels if in_turn else np.sort(labels))[:, None].astype(float)
    expected = x.std(ddof=1) / np.sqrt(400)  # 0.29; such groups would give 1.3
    assert jackknife(mean, x)[1] == pytest.approx(expected, rel=0.5)


def test_error_of_a_frechet_distance() -> None:
    """Against the spread of 40 fresh draws; the mean of 40 errors, so both are known to some 11 %."""
    random = np.random.default_rng(0)
    real = random.standard_normal((300, 6))
    results = [
        jackknife(lambda fake: frechet_distance(real, fake), random.standard_normal((200, 6)) + 0.5) for _ in range(40)
    ]
    values, errors = np.array(results).T
    assert np.mean(errors) == pytest.approx(values.std(ddof=1), rel=0.4)


def test_what_it_returns() -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    result = jackknife(mean, x)
    assert [type(part) for part in result] == [float, float]
    assert jackknife(mean, x) == result
    assert jackknife(mean, x, seed=1)[1] != result[1]
    assert jackknife(lambda t: t.mean().item(), torch.from_numpy(x)) == pytest.approx(result, rel=1e-12)
    assert jackknife(mean, np.ones((20, 2))) == (1, 0)
    images = np.random.default_rng(0).integers(0, 255, (40, 3, 4, 4), dtype=np.uint8)
    seen: list[tuple[int, ...]] = []
    jackknife(lambda part: seen.append(part.shape) or 0.0, images, groups=3)  # type: ignore[func-returns-value]
    assert seen == [(40, 3, 4, 4), (26, 3, 4, 4), (27, 3, 4, 4), (27, 3, 4, 4)]


def test_refusals() -> None:
    x = np.ones((10, 2))
    with pytest.raises(ValueError, match="^groups=1: must be at least 2"):
        jackknife(mean, x, groups=1)
    with pytest.raises(ValueError, match="^samples: 10 rows do not fill 20 groups"):
        jackknife(mean, x)
    with pytest.raises(ValueError, match="^statistic: a value is not finite"):
        jackknife(lambda part: float("nan") if len(part) == 9 else 1.0, x, groups=10)
