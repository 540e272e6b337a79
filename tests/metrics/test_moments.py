"""Streamed moments equal those of all rows at once, and survive a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.metrics.fid import Gaussian, frechet_distance, frechet_distance_gaussians, gaussian_of
from ganbench.metrics.moments import Moments, load_gaussian, save_gaussian


def rows(n: int, d: int = 12, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.standard_normal((n, d)) @ random.standard_normal((d, d)) + 2.0


def streamed(x: np.ndarray, *sizes: int) -> Gaussian:
    moments = Moments()
    for batch in np.split(x, np.cumsum(sizes)):
        if len(batch):
            moments.add(batch)
    return moments.gaussian()


def assert_equal(a: Gaussian, b: Gaussian, share: float = 1e-12) -> None:
    """Within 1e-13 of the features' magnitude, and `share` of the largest variance: what the docstring promises."""
    assert a.n == b.n
    np.testing.assert_allclose(a.mean, b.mean, rtol=0, atol=1e-13 * max(1.0, np.abs(b.mean).max()))
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=0, atol=share * np.diagonal(b.covariance).max())


@pytest.mark.parametrize(
    "sizes", [(), (200,), (1, 1, 1), (1,) * 399, (399,), (7, 300, 2, 64), (100, 100, 100)], ids=lambda s: str(s[:4])
)
def test_any_batches(sizes: tuple[int, ...]) -> None:
    x = rows(400)
    assert_equal(streamed(x, *sizes), gaussian_of(x))


def test_by_hand() -> None:
    moments = Moments()
    moments.add(np.array([[1.0, 0.0]]))
    moments.add(np.array([[3.0, 2.0], [5.0, 7.0]]))
    gaussian = moments.gaussian()
    np.testing.assert_array_equal(gaussian.mean, [3, 3])
    np.testing.assert_array_equal(gaussian.covariance, [[4, 7], [7, 13]])
    assert gaussian.n == moments.n == 3


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_features_far_from_the_origin(offset: float) -> None:
    """Where sum(x x^T) - n mean mean^T would keep 10 and 4 digits: batch means err by 1e-16 of the offset."""
    x = rows(1000) + offset
    assert_equal(streamed(x, *[37] * 27), gaussian_of(x), share=1e-15 * offset + 1e-12)


def test_a_drift_between_batches_counts() -> None:
    x = rows(300) + np.repeat([0.0, 50.0, -80.0], 100)[:, None]
    assert_equal(streamed(x, 100, 100), gaussian_of(x))


@pytest.mark.parametrize("n", [8, 400], ids=["n<d", "n>d"])
def test_gives_the_same_distance(n: int) -> None:
    x, y = rows(n), rows(300, seed=1)
    # 1e-7 where covariances are singular, as for gaussian_of; see frechet_distance_gaussians.
    expected = pytest.approx(frechet_distance(x, y), rel=1e-7 if n == 8 else 1e-11)
    assert frechet_distance_gaussians(streamed(x, 3, 2), streamed(y, 100)) == expected


def test_merging_accumulators() -> None:
    x = rows(500)
    parts = []
    for part in np.split(x, [120, 121]):
        parts.append(Moments())
        parts[-1].add(part)
    total = Moments()
    for part in (Moments(), *parts, Moments()):  # empty ones change nothing
        total.merge(part)
    assert_equal(total.gaussian(), gaussian_of(x))
    before = parts[0].gaussian()
    total.add(x)  # shares nothing with the parts it took in
    assert_equal(parts[0].gaussian(), before, share=0)


def test_what_was_returned_stays() -> None:
    moments, x = Moments(), rows(50)
    moments.add(torch.from_numpy(x).float())
    first = moments.gaussian()
    mean, covariance = first.mean.copy(), first.covariance.copy()
    moments.add(x + 100)
    np.testing.assert_array_equal(first.mean, mean)
    np.testing.assert_array_equal(first.covariance, covariance)
    assert first.mean.dtype == first.covariance.dtype == np.float64


def test_refusals_leave_it_as_it_was() -> None:
    moments, x = Moments(), rows(50, 4)
    with pytest.raises(ValueError, match="^features: got 0 rows, needs at least 2; give more samples"):
        moments.gaussian()
    moments.add(x[:1])
    with pytest.raises(ValueError, match="^features: got 1 rows, needs at least 2"):
        moments.gaussian()
    moments.add(x[1:])
    bad = x.copy()
    bad[3, 2] = np.nan
    with pytest.raises(ValueError, match="^features: 1 of 50 rows hold NaN"):
        moments.add(bad)
    with pytest.raises(ValueError, match="^features: got 0 rows, needs at least 1"):
        moments.add(x[:0])
    with pytest.raises(ValueError, match="^features has 3 columns, the batches before had 4; take all from one"):
        moments.add(x[:, :3])
    assert_equal(moments.gaussian(), gaussian_of(x))


def test_a_file_keeps_every_bit(tmp_path: Path) -> None:
    gaussian = gaussian_of(rows(40))
    save_gaussian(tmp_path / "reference.npz", gaussian)
    assert [path.name for path in tmp_path.iterdir()] == ["reference.npz"]
    again = load_gaussian(str(tmp_path / "reference.npz"))
    np.testing.assert_array_equal(again.mean, gaussian.mean)
    np.testing.assert_array_equal(again.covariance, gaussian.covariance)
    assert again.n == 40
    with np.load(tmp_path / "reference.npz") as file:  # the names that pytorch-fid and clean-fid read
        assert {"mu", "sigma"} < set(file.files)


def test_a_file_of_pytorch_fid_does_not_say_n(tmp_path: Path) -> None:
    x = gaussian_of(rows(40, 3))
    np.savez(tmp_path / "f.npz", mu=x.mean, sigma=x.covariance)
    found = load_gaussian(tmp_path / "f.npz")
    assert (found.n, found.mean.tolist()) == (0, x.mean.tolist())


def test_files_that_are_none(tmp_path: Path) -> None:
    path, x = tmp_path / "f.npz", gaussian_of(rows(40, 3))
    with pytest.raises(FileNotFoundError):
        load_gaussian(path)
    for content in (b"", b"PK\x03\x04 half of a zip file", b"no archive at all"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is no .npz file of plain arrays; make it with save_gaussian"):
            load_gaussian(path)
    np.savez(path, mu=np.array([print], dtype=object), sigma=x.covariance, n=40)  # would be unpickled, hence executed
    with pytest.raises(ValueError, match="plain arrays"):
        load_gaussian(path)
    with path.open("wb") as stream:
        np.save(stream, x.mean)
    with pytest.raises(ValueError, match="plain arrays"):
        load_gaussian(path)
    np.savez(path, mu=x.mean, n=40)
    with pytest.raises(ValueError, match=r"f\.npz: sigma is not a file in the archive; make"):
        load_gaussian(path)
    np.savez(path, mu=x.mean, sigma=x.covariance[:2], n=40)
    with pytest.raises(ValueError, match=r"mu \(3,\) and sigma \(2, 3\) do not fit"):
        load_gaussian(path)
    skew = x.covariance + np.triu(np.ones((3, 3)), 1)
    for sigma in (-x.covariance, skew):
        np.savez(path, mu=x.mean, sigma=sigma, n=40)
        with pytest.raises(ValueError, match="sigma is no covariance"):
            load_gaussian(path)
    for mean, n in ((x.mean * np.nan, 40), (x.mean, 1)):
        np.savez(path, mu=mean, sigma=x.covariance, n=n)
        with pytest.raises(ValueError, match="a moment is not finite, or n="):
            load_gaussian(path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu() -> None:
    x, moments = rows(400), Moments()
    for batch in np.split(x, 4):
        moments.add(torch.from_numpy(batch).cuda())
    assert_equal(moments.gaussian(), gaussian_of(x))
