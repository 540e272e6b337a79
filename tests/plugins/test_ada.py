"""Adaptive augmentation: when p moves, how far, and what the transformations do to an image."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganbench_plugins.ada import LIMIT, AdaptiveAugmentation

SURE, UNSURE = torch.ones(8, 1), torch.tensor([[1.0]] * 5 + [[-1.0]] * 3)  # mean signs of 1 and 0.25


def images(n: int = 4, height: int = 6, width: int = 10) -> Tensor:
    return torch.rand(n, 2, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_p_rises_while_the_discriminator_is_sure_and_falls_while_it_is_not() -> None:
    ada = AdaptiveAugmentation(0.1, 0.6, kimg=1.0, interval=4)
    for _ in range(3):
        ada.observe(SURE)
    assert float(ada.probability) == pytest.approx(0.1), "p moves every fourth time"
    ada.observe(SURE)
    assert float(ada.probability) == pytest.approx(0.1 + 4 * 8 / 1000), "from 0 to 1 in 1,000 images"
    for _ in range(8):
        ada.observe(UNSURE)
    assert float(ada.probability) == pytest.approx(0.1 - 4 * 8 / 1000)


def test_the_mean_sign_of_all_outputs_decides() -> None:
    ada = AdaptiveAugmentation(0.1, 0.6, interval=2)
    ada.observe(SURE)
    ada.observe(UNSURE)
    assert float(ada.probability) > 0.1, "the mean sign is 0.625"
    ada = AdaptiveAugmentation(0.1, 0.7, interval=2)
    ada.observe(100 * SURE)
    ada.observe(UNSURE)
    assert float(ada.probability) < 0.1, "how large outputs are does not matter"


def test_p_stays_between_0_and_its_limit() -> None:
    ada = AdaptiveAugmentation(0.0, 0.6, kimg=0.01, interval=1)
    ada.observe(UNSURE)
    assert float(ada.probability) == 0
    for _ in range(4):
        ada.observe(SURE)
    assert float(ada.probability) == pytest.approx(LIMIT)


def test_without_a_target_p_is_fixed() -> None:
    ada = AdaptiveAugmentation(0.3, 0.0, kimg=0.01, interval=1)
    ada.observe(SURE)
    assert float(ada.probability) == pytest.approx(0.3)
    off, given = AdaptiveAugmentation(0.0, 0.0), images()
    assert off(given) is given


def test_with_p_0_images_stay_as_they_are() -> None:
    torch.testing.assert_close(AdaptiveAugmentation(0.0, 0.6, flips=True)(images()), images())


def test_each_image_is_transformed_with_probability_p() -> None:
    torch.manual_seed(0)
    ada = AdaptiveAugmentation(0.25, 0.0)
    applied = ada.applied(images(4000), torch.full((4000,), 2.0))
    assert set(applied.tolist()) == {0.0, 2.0}
    assert float((applied > 0).float().mean()) == pytest.approx(0.25, abs=0.03)


class Chosen(AdaptiveAugmentation):
    """Amounts in the order in which transformations are drawn, in place of random ones."""

    def __init__(self, *amounts: float, flips: bool = False) -> None:
        super().__init__(1.0, 0.0, flips=flips)
        self.amounts = iter(amounts)

    def applied(self, images: Tensor, amounts: Tensor) -> Tensor:
        return torch.full((len(images),), next(self.amounts))


def test_geometric_transformations() -> None:
    given = images()
    assert torch.allclose(Chosen(1, 0, 0, 0, 0, flips=True).move(given), given.flip(3), atol=1e-5)
    right = Chosen(2 / 10, 0, 0, 0).move(given)
    assert torch.allclose(right[..., :-1], given[..., 1:], atol=1e-5), "a shift of a tenth of both halves is one pixel"
    down = Chosen(0, 2 / 6, 0, 0).move(given)
    assert torch.allclose(down[..., :-1, :], given[..., 1:, :], atol=1e-5)
    square = images(height=6, width=6)
    turned = Chosen(0, 0, 0, math.pi / 2).move(square)
    assert torch.allclose(turned, square.rot90(1, (2, 3)), atol=1e-5) or torch.allclose(
        turned, square.rot90(-1, (2, 3)), atol=1e-5
    )
    halves = Chosen(0, 0, -1, 0).move(given.mean((2, 3), keepdim=True).expand_as(given))
    assert torch.allclose(halves, given.mean((2, 3), keepdim=True).expand_as(given), atol=1e-5)


def test_a_rotation_keeps_lengths_where_sides_differ() -> None:
    """A quarter turn brings the two pixels right of the centre to those above or below it."""
    given = torch.full((1, 1, 6, 10), -1.0)
    given[0, 0, 2:4, 6] = 1.0
    turned = Chosen(0, 0, 0, math.pi / 2).move(given)[0, 0]
    expected = torch.full((6, 10), -1.0)
    expected[4, 4:6] = 1.0
    assert torch.allclose(turned, expected, atol=1e-4) or torch.allclose(turned, expected.flip(0), atol=1e-4)


def test_brightness_then_contrast() -> None:
    torch.testing.assert_close(Chosen(0.1, 1.0).recolour(images()), (images() + 0.1) * 2)


def test_half_of_all_images_are_flipped_where_p_is_1() -> None:
    torch.manual_seed(0)
    moved: list[float] = []

    class Flips(AdaptiveAugmentation):
        def applied(self, images: Tensor, amounts: Tensor) -> Tensor:
            moved.append(float(amounts.mean()))
            return torch.zeros(len(images))

    Flips(1.0, 0.0, flips=True).move(images(2000))
    assert moved[0] == pytest.approx(0.5, abs=0.05)


def test_gradients_reach_generated_images() -> None:
    given = images().requires_grad_()
    AdaptiveAugmentation(0.8, 0.6)(given).sum().backward()
    assert given.grad is not None
    assert bool(given.grad.isfinite().all())
    assert float(given.grad.abs().sum()) > 0
