"""Moments of features that never lie in memory at once: batches in, a Gaussian out, kept as a file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganbench.metrics.fid import Gaussian
from ganbench.metrics.validation import Array, checked
from ganbench.util.atomic_io import atomic_write


class Moments:
    """Count, mean (d,) and co-moment (d, d) of rows seen so far, all in float64, on the first batch's device.

    Takes the room of one batch and of two (d, d) matrices, whatever the number of rows. Source: Chan, Golub and
    LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
    """

    def __init__(self) -> None:
        self.n = 0
        self._mean: Tensor | None = None
        self._comoment: Tensor | None = None

    def add(self, features: Array) -> None:
        """Take in one batch, (n, d) with n >= 1.

        Raises ValueError where the batch is empty, not 2-D, of another width than the first, or not finite; what
        was there before then stays as it was.
        """
        rows = checked("features", features, rows=1)
        mean = rows.mean(dim=0)
        centred = rows - mean
        self._take(len(rows), mean, centred.T @ centred)

    def merge(self, other: Moments) -> None:
        """Take in the rows that another accumulator saw; ValueError where the widths differ."""
        if other._mean is not None and other._comoment is not None:
            self._take(other.n, other._mean.clone(), other._comoment.clone())

    def gaussian(self) -> Gaussian:
        """Return the moments of all rows.

        They equal `gaussian_of` of the rows in one piece, whatever the batches: the mean to 1e-13 of the features'
        magnitude, the covariance to 1e-12 of the largest variance, where features lie within some 1e3 deviations
        of the origin. (Batch means err by the rounding of a feature's magnitude, not of its spread.)

        Raises ValueError where fewer than 2 rows were added.
        """
        if self._mean is None or self._comoment is None or self.n < 2:
            raise ValueError(f"features: got {self.n} rows, needs at least 2; give more samples")
        covariance = self._comoment / (self.n - 1)
        return Gaussian(self._mean.cpu().numpy().copy(), covariance.cpu().numpy(), self.n)

    def _take(self, n: int, mean: Tensor, comoment: Tensor) -> None:
        if self._mean is None or self._comoment is None:
            self.n, self._mean, self._comoment = n, mean, comoment
            return
        if len(mean) != len(self._mean):
            raise ValueError(
                f"features has {len(mean)} columns, the batches before had {len(self._mean)};"
                " take all from one extractor"
            )
        total = self.n + n
        shift = mean.to(self._mean.device) - self._mean
        self._comoment += comoment.to(self._mean.device)
        self._comoment.addr_(shift, shift, alpha=self.n * n / total)
        self._mean += shift * (n / total)
        self.n = total


def save_gaussian(path: Path | str, gaussian: Gaussian, **about: str) -> None:
    """Write a Gaussian, exact to the bit, as an .npz file with `mu` (d,), `sigma` (d, d) and `n`.

    pytorch-fid and clean-fid read the first two names. `about` are texts kept beside them, under names of their own.
    The file is whole or not there; OSError where it cannot be written.
    """
    atomic_write(
        Path(path),
        lambda stream: np.savez(
            stream, mu=gaussian.mean, sigma=gaussian.covariance, n=np.int64(gaussian.n), **dict[str, Any](about)
        ),
    )


def load_gaussian(path: Path | str) -> Gaussian:
    """Return what `save_gaussian` or pytorch-fid wrote; nothing in the file is ever executed.

    pytorch-fid's files do not say how many images they saw: n is 0. Raises ValueError where the file is no .npz of
    plain arrays, lacks `mu` or `sigma`, or holds moments that do not fit, are not finite, or come from fewer than 2
    rows; FileNotFoundError where there is none.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            mean, covariance = (np.asarray(file[key], dtype=np.float64) for key in ("mu", "sigma"))
            n = int(file["n"]) if "n" in file else None
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]}; make the file with save_gaussian") from None
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):  # no archive; pickled; no numbers
        raise ValueError(f"{path}: is no .npz file of plain arrays; make it with save_gaussian") from None
    d = len(mean) if mean.ndim == 1 else 0
    if not d or covariance.shape != (d, d):
        raise ValueError(
            f"{path}: mu {mean.shape} and sigma {covariance.shape} do not fit; make the file with save_gaussian"
        )
    if (n is not None and n < 2) or not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError(f"{path}: a moment is not finite, or n={n} is below 2; make the file with save_gaussian")
    if (np.diagonal(covariance) < 0).any() or not _symmetric(covariance):
        raise ValueError(f"{path}: sigma is no covariance (not symmetric, or a variance below 0); make it again")
    return Gaussian(mean, covariance, n or 0)


def _symmetric(covariance: NDArray[np.float64]) -> bool:
    rounding = 1e-9 * float(np.diagonal(covariance).max())
    return np.allclose(covariance, covariance.T, rtol=1e-6, atol=rounding)
