"""Equality with independent implementations on random and on degenerate features, and where they differ, by how much.

torch-fidelity (FID, IS, KID, precision and recall), pytorch-fid, clean-fid and torchmetrics (FID), prdc (all four).
Features hold values that float32 can hold, as extractors' do; float64 goes into every implementation unless a test says
otherwise. Plain random features are compared in test_fid.py, test_kid.py, test_mmd.py, test_prdc.py
and test_inception_score.py too, at their tolerances; here is what breaks implementations.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from ganbench.metrics import density_coverage, frechet_distance, inception_score, kernel_distance, precision_recall

Rows = np.ndarray
D = 24


def rows(n: int, d: int = D, seed: int = 0, shift: float = 0.0) -> Rows:
    """Correlated features whose spectrum falls off, as those of networks do."""
    mix = np.random.default_rng(99).standard_normal((d, d)) / np.sqrt(np.arange(1, d + 1))
    return in_float32(np.random.default_rng(seed).standard_normal((n, d)) @ mix.T + shift)


def in_float32(x: Rows) -> Rows:
    return x.astype(np.float32).astype(np.float64)


def rectified(x: Rows) -> Rows:
    x = np.maximum(x, 0)
    x[:, [2, 9, D - 1]] = 0
    return x


X, Y = rows(300), rows(250, seed=1, shift=0.2)
CASES = {
    "random": (X, Y),
    "ReLU, dead columns": (rectified(X), rectified(Y)),
    "n < d": (rows(40, 64), rows(50, 64, 1, 0.2)),
    "collapsed": (X, np.tile(X[7], (250, 1))),
    "duplicates": (np.tile(X[:100], (3, 1)), np.concatenate([X[50:100], Y[:100], Y[:100]])),
    "far from the origin": (in_float32(X + 1e4), in_float32(Y + 1e4)),
    "constant column": (np.insert(X, 5, 0.1, axis=1), np.insert(Y, 5, 0.1, axis=1)),
}
cases = pytest.mark.parametrize("case", CASES)


def tensors(case: str, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    real, fake = CASES[case]
    return torch.from_numpy(real).to(dtype), torch.from_numpy(fake).to(dtype)


# --- Frechet distance -------------------------------------------------------------------------------------------------


def moments(x: Rows) -> tuple[Rows, Rows]:
    return x.mean(axis=0), np.cov(x, rowvar=False)


def by_square_root(distance: Callable[..., float], real: Rows, fake: Rows) -> float:
    """Call what uses SciPy's sqrtm with `disp`, which SciPy < 1.18 deprecates and 1.18 removes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The `disp` argument is deprecated", DeprecationWarning)
        warnings.filterwarnings("ignore", "Matrix is singular")  # it is, in most cases here
        warnings.filterwarnings("ignore", "invalid value encountered in scalar divide", RuntimeWarning)
        return float(distance(*moments(real), *moments(fake)))


def of_pytorch_fid(real: Rows, fake: Rows) -> float:
    package = pytest.importorskip("pytorch_fid.fid_score", reason="a test extra: pip install 'ganbench[test]'")
    return by_square_root(package.calculate_frechet_distance, real, fake)


def of_clean_fid(real: Rows, fake: Rows) -> float:
    package = pytest.importorskip("cleanfid.fid", reason="a test extra: pip install 'ganbench[test]'")
    return by_square_root(package.frechet_distance, real, fake)


def of_torchmetrics(real: Rows, fake: Rows) -> float:
    package = pytest.importorskip("torchmetrics.image.fid", reason="a test extra: pip install 'ganbench[test]'")
    return package._compute_fid(*map(torch.from_numpy, (*moments(real), *moments(fake)))).item()


def of_torch_fidelity(real: Rows | torch.Tensor, fake: Rows | torch.Tensor) -> float:
    statistics = [fid_features_to_statistics(torch.as_tensor(x)) for x in (real, fake)]
    return fid_statistics_to_metric(*statistics, False)[KEY_METRIC_FID]


FRECHET = [of_torch_fidelity, of_pytorch_fid, of_clean_fid, of_torchmetrics]


@cases
@pytest.mark.parametrize("theirs", FRECHET, ids=lambda theirs: theirs.__name__)
def test_frechet_distance(theirs: Callable[[Rows, Rows], float], case: str) -> None:
    """Relative to the traces, since it is those that cancel.

    All four form the product of the covariances. Rounding makes its zero eigenvalues some 1e-16 of the largest, and
    the root of that is 1e-8: measured 1e-8 with fewer rows than features and 2e-10 with a column of 0.1, whose variance
    is rounding (theirs, not ours: test_fid.py compares ours with a route that forms no product). Else measured
    1e-12, as the smallest eigenvalue is 1e-4 of the largest and its root loses digits too.
    """
    real, fake = CASES[case]
    share = {"n < d": 1e-7, "constant column": 1e-8}.get(case, 1e-11)
    traces = real.var(axis=0).sum() + fake.var(axis=0).sum()
    assert frechet_distance(real, fake) == pytest.approx(theirs(real, fake), rel=0, abs=share * traces)


@cases
def test_frechet_distance_of_float32_features(case: str) -> None:
    """torch-fidelity takes the mean in float32: 1e-6 off where values are of size 1, and more where they are large."""
    real, fake = tensors(case, torch.float32)
    difference = abs(of_torch_fidelity(real, fake) / frechet_distance(real, fake) - 1)
    if case == "far from the origin":
        assert 1e-5 < difference < 1e-3  # measured 6e-5; float64 differs by 5e-11
    else:
        assert difference < 2e-6  # measured 8e-7, of the collapsed set


def test_torch_fidelity_scores_a_set_against_itself_below_zero() -> None:
    for x in (X, X[:20]):
        assert -1e-5 < of_torch_fidelity(x, x) < 0 <= frechet_distance(x, x) < 1e-9


# --- Kernel distance --------------------------------------------------------------------------------------------------


def kernel_pair(case: str, dtype: torch.dtype) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return ours in float64 and theirs in `dtype`, over the same subsets."""
    theirs = kid_features_to_metric(
        *tensors(case, dtype)[::-1], kid_subsets=5, kid_subset_size=40, rng_seed=0, verbose=False
    )
    return kernel_distance(*CASES[case], subsets=5, subset_size=40), (
        theirs[KEY_METRIC_KID_MEAN],
        theirs[KEY_METRIC_KID_STD],
    )


def largest_kernel(case: str) -> float:
    return max((np.square(x).sum(axis=1).max() / x.shape[1] + 1) ** 3 for x in CASES[case])


@cases
def test_kernel_distance(case: str) -> None:
    """Relative to the largest kernel, since it is kernels that cancel: a few roundings of 1e-16.

    Far from the origin kernels are 1e24 and their differences 1e15, so that float64 keeps 7 digits of the distance.
    """
    ours, theirs = kernel_pair(case, torch.float64)
    assert ours == pytest.approx(theirs, rel=0, abs=2e-15 * largest_kernel(case))


@cases
def test_kernel_distance_of_float32_features(case: str) -> None:
    """torch-fidelity sums the kernels of float32 features in float32."""
    ours, theirs = kernel_pair(case, torch.float32)
    if case == "far from the origin":
        # Nothing but rounding, 1e-7 of kernels 1e9 times as large as the distance, and another on each processor.
        assert abs(theirs[0] - ours[0]) > 0.5 * ours[0]
    else:
        assert ours == pytest.approx(theirs, rel=1e-5)  # measured 1e-6


# --- Neighbours -------------------------------------------------------------------------------------------------------


def prc_of(case: str, dtype: torch.dtype = torch.float64, k: int = 3) -> tuple[float, float]:
    real, fake = tensors(case, dtype)
    found = prc_features_to_metric(fake, real, prc_neighborhood=k, verbose=False)
    return found[KEY_METRIC_PRECISION], found[KEY_METRIC_RECALL]


def prdc_of(real: Rows, fake: Rows, k: int) -> tuple[float, ...]:
    package = pytest.importorskip("prdc", reason="a test extra: pip install 'ganbench[test]'")
    found = package.compute_prdc(real, fake, nearest_k=k)
    return tuple(float(found[name]) for name in ("precision", "recall", "density", "coverage"))


@cases
@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall(case: str, k: int) -> None:
    """Counts, so equal; torch-fidelity divides them in float32."""
    assert precision_recall(*CASES[case], k=k) == pytest.approx(prc_of(case, k=k), rel=2e-7)


def test_torch_fidelity_loses_float32_features_far_from_the_origin() -> None:
    """Known answer 23: distances by way of |a|^2 + |b|^2 - 2 a.b, which is 1e9 times as large; we centre first."""
    real, fake = tensors("far from the origin", torch.float32)
    assert precision_recall(real, fake) == precision_recall(X, Y)
    assert max(precision_recall(X, Y)) < 0.9
    assert prc_of("far from the origin", torch.float32) == (1, 1)


@cases
def test_density_and_coverage(case: str) -> None:
    """Counts, divided in another order. Open balls in both."""
    assert density_coverage(*CASES[case], k=5) == pytest.approx(prdc_of(*CASES[case], 5)[2:], rel=1e-14)


@pytest.mark.parametrize("case", [case for case in CASES if case != "collapsed"])
def test_precision_and_recall_of_prdc(case: str) -> None:
    """Equal as long as no sample lies on a ball's edge: theirs are open, ours closed."""
    assert precision_recall(*CASES[case]) == pytest.approx(prdc_of(*CASES[case], 3)[:2], rel=1e-14)


def test_prdc_does_not_find_the_sample_that_is_repeated() -> None:
    """A ball of radius 0 holds its centre where it is closed: that one real row of 300 is recalled."""
    assert precision_recall(*CASES["collapsed"]) == (1, 1 / 300)
    assert prdc_of(*CASES["collapsed"], 3)[:2] == (1, 0)


def test_prdc_does_not_find_copies_of_rows_that_occur_k_times() -> None:
    """k = 2: the two nearest others of a real row are its duplicates; 50 of 250 fakes are copies of such rows."""
    assert precision_recall(*CASES["duplicates"], k=2)[0] == 50 / 250
    assert prdc_of(*CASES["duplicates"], 2)[0] == 0


# --- Inception score --------------------------------------------------------------------------------------------------


def logits(n: int = 203) -> torch.Tensor:
    return torch.randn(n, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


LOGITS = {
    "all alike": torch.zeros(203, 10, dtype=torch.float64),
    "one class": 80 * torch.eye(10, dtype=torch.float64)[torch.full((203,), 3)],
    "certain": 100 * logits(),  # probabilities down to 1e-300
    "rare class": logits() - 60 * torch.eye(10, dtype=torch.float64)[4],
    "large": logits() + 1e4,
}


@pytest.mark.parametrize("case", LOGITS)
def test_inception_score(case: str) -> None:
    """1e-12: sums over 203 rows. The deviation is of the splits' scores, so its error is theirs, not its own."""
    theirs = isc_features_to_metric(LOGITS[case])
    mean, sd = inception_score(LOGITS[case].softmax(dim=1))
    assert mean == pytest.approx(theirs[KEY_METRIC_ISC_MEAN], rel=1e-12)
    assert sd == pytest.approx(theirs[KEY_METRIC_ISC_STD], rel=0, abs=1e-12 * mean)


def test_inception_score_of_a_float32_softmax() -> None:
    """What extractors give. A float32 probability is right to 6e-8, and a score is the exponential of their logs."""
    theirs = isc_features_to_metric(3 * logits().float())
    ours = inception_score((3 * logits().float()).softmax(dim=1))
    assert ours == pytest.approx((theirs[KEY_METRIC_ISC_MEAN], theirs[KEY_METRIC_ISC_STD]), rel=1e-6)


def test_torch_fidelity_gives_nan_where_rows_do_not_fill_the_splits() -> None:
    assert math.isnan(isc_features_to_metric(logits(5))[KEY_METRIC_ISC_MEAN])
    with pytest.raises(ValueError, match="5 rows do not fill 10 splits"):
        inception_score(logits(5).softmax(dim=1))


def test_torch_fidelity_gives_nan_where_a_class_is_impossible() -> None:
    """It takes 0 (log 0 - log 0); a class that no row can have takes no part in ours."""
    impossible = logits()
    impossible[:, 4] = -1e4
    assert math.isnan(isc_features_to_metric(impossible)[KEY_METRIC_ISC_MEAN])
    others = impossible[:, [c for c in range(10) if c != 4]]
    assert inception_score(impossible.softmax(dim=1)) == pytest.approx(
        inception_score(others.softmax(dim=1)), rel=1e-12
    )
