"""Batches: an epoch deals every image once, and the seed decides the order."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from ganbench.training.batches import Batches

IMAGES = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1)
LABELS = torch.arange(20)


def ids(batches: Batches, count: int) -> list[int]:
    return [int(label) for batch in islice(iter(batches), count) for label in batch.labels]


def test_an_epoch_deals_each_image_once_and_the_next_in_another_order() -> None:
    dealt = ids(Batches(IMAGES, LABELS, 5, seed=1), 8)
    assert sorted(dealt[:20]) == sorted(dealt[20:]) == list(range(20))
    assert dealt[:20] != dealt[20:]


def test_an_epochs_incomplete_rest_is_left_out() -> None:
    batches = list(islice(iter(Batches(IMAGES, None, 8, seed=1)), 4))
    assert [len(batch.images) for batch in batches] == [8] * 4
    assert len({float(pixel) for batch in batches[:2] for pixel in batch.images.flatten()}) == 16
    assert batches[0].labels is None


def test_the_order_depends_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = ids(Batches(IMAGES, LABELS, 5, seed=3), 6)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert ids(Batches(IMAGES, LABELS, 5, seed=3), 6) == first
    assert ids(Batches(IMAGES, LABELS, 5, seed=4), 6) != first
    assert torch.equal(torch.get_rng_state(), state)


def test_pixels_are_mapped_to_minus_one_to_one_and_stay_with_their_labels() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    batch = next(iter(Batches(images, torch.arange(3), 3, seed=0)))
    torch.testing.assert_close(batch.images.flatten()[batch.labels.argsort()], torch.tensor([-1.0, -0.6, 1.0]))
    assert images.flatten().tolist() == [0, 51, 255]


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size 21 is larger than the data set of 20 images"):
        Batches(IMAGES, LABELS, 21, seed=0)


@pytest.mark.parametrize("dealt", [0, 1, 3, 4, 9])
def test_a_stream_goes_on_where_another_was(dealt: int) -> None:
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)

    def drawn(stream: Batches, n: int) -> list[list[float]]:
        return [next(batches).images.flatten().tolist() for batches in [iter(stream)] for _ in range(n)]

    whole = drawn(Batches(images, None, 3, seed=5), 12)
    first = Batches(images, None, 3, seed=5)
    begun = drawn(first, dealt)
    again = Batches(images, None, 3, seed=5)
    again.load(first.state())
    assert begun + drawn(again, 12 - dealt) == whole
