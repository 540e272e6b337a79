from __future__ import annotations

import numpy as np

from ganbench.pictures.grid import COLUMNS, GRID
from ganbench.scoring.run_pictures import by_class


def test_ten_classes_are_ten_rows_of_their_first_samples() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 1000)
    order = by_class(labels)
    assert labels[order].reshape(10, COLUMNS).tolist() == [[label] * COLUMNS for label in range(10)]
    for label in range(10):
        assert (
            order[label * COLUMNS : (label + 1) * COLUMNS].tolist()
            == np.flatnonzero(labels == label)[:COLUMNS].tolist()
        )


def test_other_numbers_of_classes_share_the_grid_alike() -> None:
    labels = np.arange(900) % 3
    assert np.bincount(labels[by_class(labels)]).tolist() == [33, 33, 33]


def test_classes_that_a_grid_has_no_room_for_are_sorted() -> None:
    for labels in (np.arange(300)[::-1] % 150, np.repeat([0, 1], [298, 2])):
        order = by_class(labels)
        assert sorted(order.tolist()) == list(range(GRID))
        assert (np.diff(labels[order]) >= 0).all()
