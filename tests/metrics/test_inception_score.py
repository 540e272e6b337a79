"""Known answers of the inception score, and its equality with torch-fidelity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

from ganbench.metrics import inception_score


def softmax_rows(n: int, classes: int = 10) -> tuple[torch.Tensor, torch.Tensor]:
    logits = 3 * torch.randn(n, classes, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return logits, logits.softmax(dim=1)


def one_hot(n: int, classes: int = 10) -> np.ndarray:
    """Certain, and balanced in every run of `classes` rows."""
    return np.eye(classes)[np.arange(n) % classes]


def test_uniform_rows_score_one() -> None:
    assert inception_score(np.full((100, 10), 0.1)) == pytest.approx((1, 0), abs=1e-14)
    assert inception_score(np.full((100, 10), 0.1, dtype=np.float32)) == pytest.approx((1, 0), abs=1e-14)


def test_equal_rows_never_score_below_one() -> None:
    for row in np.random.default_rng(0).dirichlet(np.ones(10), size=50):  # rounding gives some 1 - 1e-16
        mean, _ = inception_score(np.tile(row, (7, 1)), splits=1)
        assert 1 <= mean <= 1 + 1e-14


@pytest.mark.parametrize("splits", [1, 4, 10])
def test_certain_and_balanced_scores_the_number_of_classes(splits: int) -> None:
    assert inception_score(one_hot(1000), splits=splits, seed=None) == pytest.approx((10, 0), rel=1e-13, abs=1e-12)


def test_shuffling_unbalances_the_splits() -> None:
    assert inception_score(one_hot(1000))[0] == pytest.approx(9.518, abs=5e-4)  # reference/metrics.md, 3 digits


def test_one_class_scores_one() -> None:
    assert inception_score(np.eye(10)[np.zeros(50, dtype=int)]) == (1, 0)


def test_is_marginal_entropy_less_mean_entropy() -> None:
    p = softmax_rows(500)[1].numpy()
    expected = np.exp(entropy(p.mean(0)) - entropy(p, axis=1).mean())
    assert inception_score(p, splits=1) == pytest.approx((expected, 0), rel=1e-13)


def test_split_rule() -> None:
    p = softmax_rows(23)[1].numpy()
    parts = [p[0:5], p[5:11], p[11:17], p[17:23]]  # i * 23 // 4
    scores = [inception_score(part, splits=1)[0] for part in parts]
    assert inception_score(p, splits=4, seed=None) == pytest.approx((np.mean(scores), np.std(scores)), rel=1e-13)


@pytest.mark.parametrize("n", [500, 503])
def test_equals_torch_fidelity(n: int) -> None:
    logits, p = softmax_rows(n)
    keys = KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD
    theirs = isc_features_to_metric(logits)  # its defaults: 10 splits, shuffled with seed 2020
    assert inception_score(p) == pytest.approx(tuple(theirs[key] for key in keys), rel=1e-12)
    theirs = isc_features_to_metric(logits, splits=7, shuffle=False)
    assert inception_score(p, splits=7, seed=None) == pytest.approx(tuple(theirs[key] for key in keys), rel=1e-12)


def test_zero_probabilities_are_no_nan() -> None:
    # Where torch-fidelity gives NaN: 0 log 0.
    assert np.isnan(isc_features_to_metric(torch.tensor(one_hot(100)).log())[KEY_METRIC_ISC_MEAN])
    p = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [1, 0, 0], [0, 1, 0]])
    assert inception_score(p, splits=1)[0] == pytest.approx(np.sqrt(2), rel=1e-14)  # log 2 for half of the rows


def test_refusals() -> None:
    p = softmax_rows(20)[1]
    with pytest.raises(ValueError, match="20 rows do not fill 21 splits"):
        inception_score(p, splits=21)
    with pytest.raises(ValueError, match="^splits=0"):
        inception_score(p, splits=0)
    with pytest.raises(ValueError, match="not logits"):
        inception_score(softmax_rows(20)[0])
    with pytest.raises(ValueError, match="does not sum to 1"):
        inception_score(p * 1.01)
    with pytest.raises(ValueError, match="is negative"):
        inception_score(np.array([[1.5, -0.5]] * 20))
    inception_score(p.half())  # what autocast gives is accepted
    inception_score(p.bfloat16())
