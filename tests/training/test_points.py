"""Points in training: models see their coordinates, and samples are drawn as they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganbench.data.pixels import to_float
from ganbench.model import DataSpec, Model
from ganbench.training.batches import Batches
from ganbench.training.sampling import SampleError, draw


class Off(Model):
    """Gives points that no byte can hold, some a little beyond the range."""

    name, step = "off", 1.0

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.linspace(-self.step, self.step, 2 * n).view(n, 2)


def off(step: float) -> Off:
    model = Off(DataSpec((2,), 8, "ring8", 100), Off.Config())
    model.step = step
    return model


def test_points_are_drawn_as_they_are_and_cut_to_the_range() -> None:
    samples = draw(off(1.0005), 7, None, seed=0)
    assert samples.dtype is torch.float32
    torch.testing.assert_close(samples.flatten(), torch.linspace(-1.0005, 1.0005, 14).clamp(-1, 1))
    with pytest.raises(SampleError, match="beyond"):
        draw(off(1.1), 7, None, seed=0)


def test_training_sees_the_coordinates_of_points_and_a_copy_of_them() -> None:
    points = torch.tensor([[0.123456789, -1.0], [0.5, 0.25]])
    batch = next(iter(Batches(points, None, 2, seed=0)))
    assert sorted(batch.images.flatten().tolist()) == sorted(points.flatten().tolist())
    to_float(points).zero_()
    batch.images.zero_()
    assert points.abs().sum() > 0
