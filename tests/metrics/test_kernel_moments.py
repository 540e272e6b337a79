"""The kernel distance from third moments is that from all pairs, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.metrics import FrechetReference, frechet_distance, kernel_distance_exact
from ganbench.metrics.fid import gaussian_of
from ganbench.metrics.kernel_moments import WIDEST, KernelMoments


def moments(rows: torch.Tensor, size: int) -> KernelMoments:
    found = KernelMoments()
    for part in rows.split(size):
        found.add(part)
    return found


@pytest.mark.parametrize("width", [1, 2, 17])
@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_it_is_the_distance_from_all_pairs(width: int, shift: float) -> None:
    generator = torch.Generator().manual_seed(width)
    real = torch.randn(301, width, generator=generator) + shift
    fake = 1.3 * torch.randn(57, width, generator=generator) + shift
    found = moments(real, 100).distance(moments(fake, 13))
    scale = (1 + shift**2) ** 3  # a kernel's value, of which a distance is a small difference
    assert found == pytest.approx(kernel_distance_exact(real, fake), rel=1e-9, abs=1e-12 * scale)


def test_what_does_not_fit_is_an_error_and_changes_nothing() -> None:
    found = moments(torch.ones(3, 4), 3)
    for rows in (torch.ones(2, 5), torch.ones(2, WIDEST + 1), torch.full((2, 4), torch.nan), torch.ones(0, 4)):
        with pytest.raises(ValueError, match="features"):
            found.add(rows)
    assert found.n == 3
    assert found.distance(moments(torch.ones(2, 4), 2)) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="at least 2"):
        found.distance(KernelMoments())


def test_a_frechet_reference_takes_moments_for_rows() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(60, 5)), rng.normal(size=(70, 5)) + 1
    reference = FrechetReference(real)
    assert reference.distance(gaussian_of(fake)) == pytest.approx(frechet_distance(real, fake), rel=1e-12)
    with pytest.raises(ValueError, match="fake has 4"):
        reference.distance(gaussian_of(fake[:, :4]))
