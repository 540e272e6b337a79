from __future__ import annotations

import random
from collections.abc import Iterable

from ganbench.boards.rank import rank
from ganbench.store.run_record import RunStatus

from .factory import Made, full, make, rows, seeds


def ranks(made: Iterable[Made]) -> dict[str, str]:
    return {each.row.label: each.rank for each in rank(rows(made))}


def test_intervals_apart_rank_apart() -> None:
    assert ranks([*seeds("b", (20.0, 20.1, 20.2)), *seeds("a", (10.0, 10.1, 10.2))]) == {"a": "1", "b": "2"}


def test_overlapping_intervals_share_a_range_of_places() -> None:
    chain = [*seeds("a", (9.0, 10.0, 11.0)), *seeds("b", (12.0, 13.0, 14.0)), *seeds("c", (15.0, 16.0, 17.0))]
    # half widths of 2.48: a reaches b, b reaches c, a does not reach c
    assert ranks(chain) == {"a": "1-2", "b": "1-3", "c": "2-3"}


def test_equal_means_without_spread_share_a_place() -> None:
    assert ranks([*seeds("a", (5.0, 5.0)), *seeds("b", (5.0, 5.0))]) == {"a": "1-2", "b": "1-2"}


def test_one_seed_separates_nothing() -> None:
    assert ranks([make("a", 0, 1.0), make("b", 0, 900.0)]) == {"a": "1-2", "b": "1-2"}
    apart = [*seeds("a", (10.0, 10.1, 10.2)), *seeds("c", (20.0, 20.1, 20.2))]
    assert ranks([*apart, make("b", 0, 900.0)]) == {"a": "1-2", "c": "2-3", "b": "1-3"}


def test_order_and_who_is_not_ranked() -> None:
    ranked = rank(rows(full()))
    found = [each.row.label for each in ranked]
    assert found == ["real", "dcgan", "vae[latent_dim=64]", "lone", "vanilla", "replay", "noise", "broken"]
    assert {each.row.label for each in ranked if not each.rank} == {"real", "replay", "noise", "broken"}


def test_a_failed_model_takes_no_place_from_others() -> None:
    failed = make("z", 0, status=RunStatus.FAILED, reason="x")
    unscored = make("y", 0, scored=False)
    assert ranks([*seeds("a", (1.0, 1.1)), failed, unscored]) == {"a": "1", "z": "", "y": ""}


def test_places_are_those_of_every_pair_compared() -> None:
    draw = random.Random(0)
    made = [each for at in range(40) for each in seeds(f"m{at}", [draw.uniform(0, 9) + at / 2 for _ in range(3)])]
    found = rank(rows(made))
    spans = [(each.row.headline.low, each.row.headline.high) for each in found if each.row.headline]
    for each, (low, high) in zip(found, spans, strict=True):
        assert each.best == 1 + sum(other < low for _, other in spans)  # type: ignore[operator]
        assert each.worst == len(spans) - sum(other > high for other, _ in spans)  # type: ignore[operator]
