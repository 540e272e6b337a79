"""The schedule that frozen classifiers are trained by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.data.dataset import Dataset, Split
from ganbench.extractors.lenet import LeNet
from ganbench.extractors.train import BATCH, EPOCHS, Progress, accuracy, default_epochs, shifted, train


@pytest.mark.parametrize("images", [20, 1197, 3000, 12_800, 50_000, 60_000, 200_000, 10**7])
def test_small_sets_get_enough_updates_and_large_ones_not_too_many(images: int) -> None:
    epochs, steps = default_epochs(images), max(1, images // BATCH)
    assert epochs * steps >= 1500
    assert epochs == 1 or epochs * steps <= 7020 or epochs * steps < 1500 + steps
    if 20_000 <= images <= 60_000:
        assert epochs == EPOCHS


def test_a_short_training_learns_too(mnist5k: Dataset) -> None:
    seen: list[Progress] = []
    part = Split(mnist5k.train.images[:1024], mnist5k.train.labels[:1024])
    model = train(part, LeNet, LeNet.shape, epochs=3, flip=False, seed=0, report=seen.append)
    test = Split(mnist5k.test.images[:500], mnist5k.test.labels[:500])
    assert accuracy(model, test, LeNet.shape) > 0.7
    assert not model.training
    assert [(each.epoch, each.step) for each in seen] == [(epoch, step) for epoch in (1, 2, 3) for step in range(1, 9)]
    assert str(seen[-1]).startswith("epoch 3/3  loss 0.")


def test_shifts_move_by_whole_pixels_and_fill_with_background() -> None:
    images = torch.zeros(200, 1, 9, 9, dtype=torch.uint8)
    images[:, :, 4, 3] = 255
    moved = shifted(images, 2, False, torch.Generator().manual_seed(0))
    assert moved.dtype == torch.uint8
    found = {tuple(place) for place in moved[:, 0].nonzero()[:, 1:].tolist()}
    assert found == {(row, column) for row in range(2, 7) for column in range(1, 6)}
    mirrored = shifted(images, 2, True, torch.Generator().manual_seed(0))
    columns = {column for _, column in mirrored[:, 0].nonzero()[:, 1:].tolist()}
    assert columns == set(range(1, 8))
    assert np.array_equal(mirrored.sum((1, 2, 3)), np.full(200, 255))
