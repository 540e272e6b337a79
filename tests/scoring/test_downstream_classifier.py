"""Downstream accuracy tells labelled digits from mislabelled ones, and disturbs nobody."""

from __future__ import annotations

import warnings

import pytest
import torch

from ganbench.data.dataset import Dataset
from ganbench.metrics.downstream_classifier import PEAK_LR, downstream_accuracy, learning_rates, network


def accuracy(digits: Dataset, labels: torch.Tensor, seed: int = 0, steps: int = 150) -> float:
    images, test = torch.from_numpy(digits.train.images), digits.test
    return downstream_accuracy(
        images, labels, torch.from_numpy(test.images), torch.from_numpy(test.labels), classes=10, steps=steps, seed=seed
    )


def test_real_labels_teach_and_random_labels_do_not(digits: Dataset) -> None:
    labels = torch.from_numpy(digits.train.labels)
    shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
    assert accuracy(digits, labels) > 0.9
    assert accuracy(digits, shuffled) < 0.3


def test_the_seed_decides_and_the_global_random_state_is_left_alone(digits: Dataset) -> None:
    labels = torch.from_numpy(digits.train.labels)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = accuracy(digits, labels, seed=1, steps=20)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert accuracy(digits, labels, seed=1, steps=20) == first
    assert len({accuracy(digits, labels, seed=seed, steps=20) for seed in range(1, 5)}) > 1


def test_colour_images_are_taken_too() -> None:
    images = torch.randint(0, 256, (80, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(80) % 2
    images[labels == 1, 0] = 255
    assert downstream_accuracy(images, labels, images, labels, classes=2, steps=40, seed=0) > 0.9


@pytest.mark.parametrize("steps", [1, 2, 7, 150])
def test_learning_rates_are_those_of_one_cycle(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK_LR)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=PEAK_LR, total_steps=steps)
    expected = []
    for step in range(steps):
        expected.append(optimizer.param_groups[0]["lr"])
        if step < steps - 1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # no update is made before the rate changes
                schedule.step()
    assert learning_rates(steps) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 8, 8), (3, 7, 9), (3, 32, 32)])
def test_images_of_any_size_are_taken(shape: tuple[int, ...]) -> None:
    assert network(shape, 5)(torch.zeros(2, *shape)).shape == (2, 5)
