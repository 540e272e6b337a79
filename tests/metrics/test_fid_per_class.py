"""Known answers of the Frechet distance by class."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.metrics import frechet_distance
from ganbench.metrics.fid_per_class import per_class_frechet_distance


def labelled(n: int = 120, classes: int = 3, d: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(n) % classes)
    return random.standard_normal((n, d)) + 4 * labels[:, None], labels


def test_each_class_has_its_shift() -> None:
    x, labels = labelled()
    shifts = np.array([0.0, 1.0, -3.0])
    values = per_class_frechet_distance(x, labels, x + shifts[labels][:, None], labels)
    assert list(values) == [0, 1, 2]
    # 5 features each; the error is that of the covariances, as for the whole set.
    assert values == pytest.approx({0: 0, 1: 5, 2: 45}, rel=1e-11, abs=1e-11)


def test_equals_the_distance_of_the_rows() -> None:
    x, a = labelled()
    y, b = labelled(90, seed=1)
    a, b = np.array([7, -1, 12])[a], np.array([7, -1, 12])[b]
    values = per_class_frechet_distance(x, a, torch.from_numpy(y), torch.from_numpy(b))
    assert list(values) == [-1, 7, 12]
    assert all(type(key) is int and type(value) is float for key, value in values.items())
    for c, value in values.items():
        assert value == frechet_distance(x[a == c], y[b == c])


def test_one_class_is_the_whole() -> None:
    x, _ = labelled()
    y, _ = labelled(90, seed=1)
    assert per_class_frechet_distance(x, [3] * 120, y, [3] * 90) == {3: frechet_distance(x, y)}


def test_swapped_labels_show_where_the_whole_set_does_not() -> None:
    x, labels = labelled(classes=2)
    values = per_class_frechet_distance(x, labels, x, 1 - labels)
    assert frechet_distance(x, x) < 1e-10
    assert min(values.values()) > 50  # class means lie 4 apart in each of 5 features


def test_fewer_rows_than_features() -> None:
    x, labels = labelled(12, d=9)
    assert per_class_frechet_distance(x, labels, x, labels) == pytest.approx({0: 0, 1: 0, 2: 0}, abs=1e-10)


def test_refusals() -> None:
    x, labels = labelled()
    score = per_class_frechet_distance
    with pytest.raises(ValueError, match=r"^real_labels: expected 120 integers, one a row, got shape \(119,\)"):
        score(x, labels[1:], x, labels)
    with pytest.raises(ValueError, match=r"^fake_labels: .* got shape \(120, 3\)"):
        score(x, labels, x, np.eye(3, dtype=int)[labels])
    for bad in (labels.astype(float), labels == 1):
        with pytest.raises(ValueError, match="^fake_labels: expected 120 integers"):
            score(x, labels, x, bad)
    with pytest.raises(ValueError, match="^fake_labels: class 9 is not among real_labels"):
        score(x, labels, x, np.where(labels == 2, 9, labels))
    for left in (0, 1):
        kept = np.concatenate([np.flatnonzero(labels != 1), np.flatnonzero(labels == 1)[:left]])
        with pytest.raises(ValueError, match=f"^fake: class 1 has {left} rows, needs at least 2"):
            score(x, labels, x[kept], labels[kept])
    with pytest.raises(ValueError, match="^real: class 1 has 1 rows, needs at least 2"):  # kept has one of them
        score(x[kept], labels[kept], x, labels)
    with pytest.raises(ValueError, match="^real has 5 columns, fake has 4"):
        score(x, labels, x[:, :4], labels)
    with pytest.raises(ValueError, match="^real: 120 of 120 rows hold NaN"):
        score(x * np.nan, labels, x, labels)
