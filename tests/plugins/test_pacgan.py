"""Packs of samples: what is joined with what, and that the discriminator sees nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.pacgan import PacGAN, pack

IMAGES, POINTS = DataSpec((3, 8, 8), 0, "toy", 64), DataSpec((2,), 0, "toy", 64)


def test_neighbours_are_joined_along_channels() -> None:
    images = torch.arange(5 * 3 * 2 * 2).reshape(5, 3, 2, 2)
    packs = pack(images, 2)
    assert packs.shape == (2, 6, 2, 2)  # the fifth image is left over
    assert torch.equal(packs[1], torch.cat([images[2], images[3]]))


def test_points_are_joined_along_coordinates() -> None:
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    assert pack(points, 2).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert torch.equal(pack(points, 1), points)


class Spread(nn.Module):
    """A discriminator of packs of two points: their squared distance."""

    def forward(self, packs: Tensor) -> Tensor:
        first, second = packs.chunk(2, dim=1)
        return (first - second).square().sum(1, keepdim=True)


def test_losses_are_those_of_packs() -> None:
    model = PacGAN(POINTS, PacGAN.Config())
    model.discriminator = Spread()
    real = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [1.0, 1.0]])  # squared distances 25 and 0
    same = torch.zeros(4, 2)
    expected = (torch.tensor([-25.0, 0.0]).exp().log1p().mean() + torch.tensor(2.0).log()).item()
    assert float(model.discriminator_loss(real, same, None)) == pytest.approx(expected)
    assert float(model.generator_loss(real, same, None)) == pytest.approx(torch.tensor(2.0).log().item())


@pytest.mark.parametrize("data", [IMAGES, POINTS], ids=["images", "points"])
@pytest.mark.parametrize("packing", [1, 2, 4])
def test_it_learns_from_batches_that_are_no_multiple_of_a_pack(data: DataSpec, packing: int) -> None:
    model = PacGAN(data, PacGAN.Config(packing=packing, hidden=16, width=4, batch_size=6))
    losses = model.step(Batch(torch.rand(6, *data.shape), None))
    assert all(loss.isfinite() for loss in losses.values())


@pytest.mark.parametrize("packing", [0, 7])
def test_a_pack_is_no_larger_than_a_batch(packing: int) -> None:
    with pytest.raises(ValueError, match=f"packing={packing}: from 1 to batch_size \\(6\\)"):
        PacGAN(POINTS, PacGAN.Config(packing=packing, batch_size=6))
