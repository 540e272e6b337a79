"""What is particular to dcgan: sizes, and what the discriminator is shown."""

from __future__ import annotations

import pytest
import torch
from ganbench_plugins.dcgan import DCGAN, translate

from ganbench.model import DataSpec


@pytest.mark.parametrize("shape", [(1, 30, 28), (3, 28, 30), (1, 7, 7)], ids=str)
def test_sides_that_four_does_not_divide_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"divisible by 4, toy has {shape[1]}x{shape[2]}"):
        DCGAN(DataSpec(shape, 0, "toy", 64), DCGAN.Config())


def test_images_that_are_no_squares_are_fine() -> None:
    model = DCGAN(DataSpec((2, 12, 20), 0, "toy", 64), DCGAN.Config(width=8))
    assert model.eval().sample(3).shape == (3, 2, 12, 20)


def test_width_decides_the_size() -> None:
    def parameters(width: int) -> int:
        model = DCGAN(DataSpec((1, 28, 28), 0, "toy", 64), DCGAN.Config(width=width))
        return sum(parameter.numel() for parameter in model.parameters())

    assert parameters(8) < parameters(16) < parameters(32)


def test_translation_moves_the_content_and_fills_with_background() -> None:
    torch.manual_seed(0)
    images = torch.full((200, 2, 9, 9), -1.0)
    images[:, 0, 4, 4], images[:, 1, 4, 4] = 0.5, 0.9
    moved = translate(images, 2)
    assert moved.shape == images.shape
    places = {0: [], 1: []}
    for channel, value in ((0, 0.5), (1, 0.9)):
        assert ((moved[:, channel] == value).sum((1, 2)) == 1).all()
        assert ((moved[:, channel] == -1).sum((1, 2)) == 80).all()
        places[channel] = (moved[:, channel] == value).nonzero()[:, 1:].tolist()
    assert places[0] == places[1]
    assert {tuple(place) for place in places[0]} == {(y, x) for y in range(2, 7) for x in range(2, 7)}


def test_what_leaves_the_frame_is_gone_and_background_comes_in() -> None:
    torch.manual_seed(0)
    moved = translate(torch.ones(100, 1, 8, 8), 3)
    kept = {int(count) for count in (moved == 1).sum((1, 2, 3))}
    assert kept == {a * b for a in range(5, 9) for b in range(5, 9)}
    assert ((moved == 1) | (moved == -1)).all()
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(translate(images, 0), images)
