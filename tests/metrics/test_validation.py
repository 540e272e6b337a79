"""What every metric takes, and what every metric refuses: a named error, never a silent number."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from ganbench import metrics
from ganbench.metrics import (
    authenticity,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    kernel_distance_exact,
    precision_recall,
    rbf_kernel_distance,
)

Score = Callable[..., "float | tuple[float, float]"]


def small_kernel_distance(real: object, fake: object) -> tuple[float, float]:
    return kernel_distance(real, fake, subsets=2, subset_size=2)  # type: ignore[arg-type]


PAIRS = [
    pytest.param(frechet_distance, "real", id="frechet_distance"),
    pytest.param(small_kernel_distance, "real", id="kernel_distance"),
    pytest.param(kernel_distance_exact, "real", id="kernel_distance_exact"),
    pytest.param(rbf_kernel_distance, "real", id="rbf_kernel_distance"),
    pytest.param(precision_recall, "real", id="precision_recall"),
    pytest.param(density_coverage, "real", id="density_coverage"),
    pytest.param(authenticity, "train", id="authenticity"),
]
pairs = pytest.mark.parametrize(("score", "first"), PAIRS)


def rows(n: int = 30, d: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def test_the_public_surface() -> None:
    assert sorted(metrics.__all__) == [
        "DuplicateReference",
        "FrechetReference",
        "Moments",
        "PairReference",
        "PairScores",
        "Subsets",
        "authenticity",
        "data_copying",
        "density_coverage",
        "duplicates",
        "frechet_distance",
        "frechet_distance_infinity",
        "inception_score",
        "jackknife",
        "kernel_distance",
        "kernel_distance_exact",
        "load_gaussian",
        "per_class_frechet_distance",
        "precision_recall",
        "rbf_kernel_distance",
        "save_gaussian",
        "spectral_distance",
        "vendi_score",
    ]


@pairs
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e60])
def test_not_finite(score: Score, first: str, bad: float) -> None:
    spoilt = rows()
    spoilt[[7, 9], 3] = bad
    message = "2 of 30 rows hold NaN, infinity or values beyond 1e.50, the first is row 7"
    with pytest.raises(ValueError, match=f"^{first}: {message}"):
        score(spoilt, rows())
    with pytest.raises(ValueError, match=f"^fake: {message}"):
        score(rows(), torch.from_numpy(spoilt))


@pairs
@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows(score: Score, first: str, n: int) -> None:
    with pytest.raises(ValueError, match=f"^{first}: got {n} rows, needs at least"):
        score(rows(n), rows())
    with pytest.raises(ValueError, match=f"^fake: got {n} rows, needs at least"):
        score(rows(), rows(n))


@pairs
def test_shapes(score: Score, first: str) -> None:
    for shape in ((30,), (30, 2, 3), (30, 0), ()):
        with pytest.raises(ValueError, match=rf"^{first}: expected shape \(n, d\), got \("):
            score(np.zeros(shape), rows())
    with pytest.raises(ValueError, match=f"^{first} has 6 columns, fake has 5; take both from one extractor"):
        score(rows(), rows(d=5))


def test_inception_score_refuses_alike() -> None:
    p = np.full((30, 5), 0.2)
    for n in (0, 1):
        with pytest.raises(ValueError, match=f"^probabilities: got {n} rows"):
            inception_score(p[:n], splits=1)
    p[4, 2] = np.nan
    with pytest.raises(ValueError, match="^probabilities: 1 of 30 rows hold NaN"):
        inception_score(p)
    with pytest.raises(ValueError, match="^probabilities: expected shape"):
        inception_score(p[0])


@pairs
def test_arrays_tensors_and_dtypes(score: Score, first: str) -> None:
    real, fake = (np.round(8 * rows(seed=seed)) for seed in (0, 1))  # integers, exact in every dtype
    expected = score(real, fake)
    assert all(type(value) is float for value in (expected if isinstance(expected, tuple) else (expected,)))
    frozen = fake.copy()
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert score(real, frozen) == expected
        assert score(np.asfortranarray(real), fake.astype(np.int64)) == expected
        assert score(torch.from_numpy(real).float().requires_grad_(), fake.astype(np.float32)) == expected
        assert score(torch.from_numpy(real).bfloat16(), torch.from_numpy(fake).half()) == expected


@pairs
def test_input_is_left_alone(score: Score, first: str) -> None:
    real, fake = rows(), rows(seed=1)
    score(real, fake)
    np.testing.assert_array_equal(real, rows())
    np.testing.assert_array_equal(fake, rows(seed=1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pairs
def test_devices_agree(score: Score, first: str) -> None:
    real, fake = torch.from_numpy(rows(200)), torch.from_numpy(rows(150, seed=1))
    # Float64 on both; sums in another order.
    assert score(real.cuda(), fake.cuda()) == pytest.approx(score(real, fake), rel=1e-10)
    assert score(real.cuda(), fake) == pytest.approx(score(real, fake), rel=1e-10)
