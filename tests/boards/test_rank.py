from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy import stats

from ganbench.boards.rank import rank
from ganbench.store.run_record import RunStatus

from .factory import Made, full, make, rows, seeds


def ranks(made: Iterable[Made]) -> dict[str, str]:
    return {each.row.label: each.rank for each in rank(rows(made))}


def firsts(made: Iterable[Made]) -> set[str]:
    return {each.row.label for each in rank(rows(made)) if each.may_be_first}


def test_what_the_test_tells_apart_ranks_apart() -> None:
    assert ranks([*seeds("b", (20.0, 20.1, 20.2)), *seeds("a", (10.0, 10.1, 10.2))]) == {"a": "1", "b": "2"}


def test_rows_whose_intervals_overlap_are_told_apart_where_the_test_does() -> None:
    made = [*seeds("a", (9.0, 10.0, 11.0)), *seeds("b", (12.0, 13.0, 14.0)), *seeds("c", (15.0, 16.0, 17.0))]
    found = rank(rows(made))
    a, b, c = (each.row.headline for each in found)
    assert a and b and c and a.high and b.low and b.high and c.low
    assert a.high > b.low and b.high > c.low
    assert [each.rank for each in found] == ["1", "2", "3"]


def test_what_is_not_told_apart_shares_a_range_of_places() -> None:
    chain = [*seeds("a", (9.0, 10.0, 11.0)), *seeds("b", (10.5, 11.5, 12.5)), *seeds("c", (12.5, 13.5, 14.5))]
    # two-sided p on the logarithms: a and b 0.14, b and c 0.07, a and c 0.02
    assert ranks(chain) == {"a": "1-2", "b": "1-3", "c": "2-3"}
    assert firsts(chain) == {"a", "b"}


def test_equal_means_share_a_place_whatever_their_spread() -> None:
    assert ranks([*seeds("a", (5.0, 5.0)), *seeds("b", (5.0, 5.0))]) == {"a": "1-2", "b": "1-2"}


def test_seeds_that_agree_by_luck_are_not_told_apart_within_the_noise_of_the_images() -> None:
    """Scores of the factory have a standard error of 1 %."""
    assert ranks([*seeds("a", (10.0, 10.0, 10.0)), *seeds("b", (10.2, 10.2, 10.2))]) == {"a": "1-2", "b": "1-2"}
    assert ranks([*seeds("a", (10.0, 10.0, 10.0)), *seeds("b", (10.3, 10.3, 10.3))]) == {"a": "1", "b": "2"}


def test_one_seed_separates_nothing() -> None:
    assert ranks([make("a", 0, 1.0), make("b", 0, 900.0)]) == {"a": "1-2", "b": "1-2"}
    assert firsts([make("a", 0, 1.0), make("b", 0, 900.0)]) == set()
    apart = [*seeds("a", (10.0, 10.1, 10.2)), *seeds("c", (20.0, 20.1, 20.2))]
    assert ranks([*apart, make("b", 0, 900.0)]) == {"a": "1-2", "c": "2-3", "b": "1-3"}
    assert firsts([*apart, make("b", 0, 1.0)]) == {"a"}


def test_order_and_who_is_not_ranked() -> None:
    ranked = rank(rows(full()))
    found = [each.row.label for each in ranked]
    assert found == ["real", "dcgan", "vae[latent_dim=64]", "lone", "vanilla", "replay", "noise", "broken"]
    assert {each.row.label for each in ranked if not each.rank} == {"real", "replay", "noise", "broken"}
    assert not any(each.may_be_first for each in ranked if not each.rank)


def test_rows_stand_in_the_order_of_what_is_compared() -> None:
    """The arithmetic mean of `a` is larger, its geometric mean less."""
    uneven, even = (2.0, 30.0), (15.0, 15.5)
    assert np.mean(uneven) > np.mean(even)
    assert [each.row.label for each in rank(rows([*seeds("b", even), *seeds("a", uneven)]))] == ["a", "b"]


def test_a_failed_model_takes_no_place_from_others() -> None:
    failed = make("z", 0, status=RunStatus.FAILED, reason="x")
    unscored = make("y", 0, scored=False)
    assert ranks([*seeds("a", (1.0, 1.1)), failed, unscored]) == {"a": "1", "z": "", "y": ""}


def test_a_failed_run_costs_places() -> None:
    steady, close = seeds("a", (10.0, 10.1, 10.2)), seeds("b", (12.0, 12.1, 12.2))
    assert ranks([*steady, *close])["b"] == "2"
    floor = make("noise", 0, 500.0, role="floor")
    fails = make("a", 3, status=RunStatus.DIVERGED)
    assert ranks([*steady, fails, *close, floor]) == {"noise": "", "a": "1-2", "b": "1-2"}
    assert [each.row.label for each in rank(rows([*steady, fails, *close]))] == ["a", "b"]
    assert [each.row.label for each in rank(rows([*steady, fails, *close, floor]))][:2] == ["b", "a"]


def test_places_are_those_of_every_pair_tested() -> None:
    draw = random.Random(0)
    drawn = {f"m{at}": [draw.uniform(1, 9) + at / 2 for _ in range(3)] for at in range(25)}
    found = rank(rows([each for label, fids in drawn.items() for each in seeds(label, fids)]))
    logs = {label: np.log(fids) for label, fids in drawn.items()}
    joint = 0.05 / (len(drawn) - 1)
    assert all(np.var(values, ddof=1) > 1e-4 for values in logs.values()), "their spread is above the images' noise"
    spans = []
    for each in found:
        own = logs.pop(each.row.label)
        pairs = [stats.ttest_ind(own, rival, equal_var=False) for rival in logs.values()]
        logs[each.row.label] = own
        told = [(pair.statistic > 0, pair.pvalue) for pair in pairs]
        assert each.best == 1 + sum(worse and p < 0.05 for worse, p in told)
        assert each.worst == len(drawn) - sum(not worse and p < 0.05 for worse, p in told)
        assert each.may_be_first == (not any(worse and p / 2 < joint for worse, p in told))
        spans.append((each.best, each.worst))
    assert len(set(spans)) > 10, "the ranges differ"
    assert 1 < sum(each.may_be_first for each in found) < len(found)


def test_a_published_row_is_no_rival_of_the_users_row_of_that_model() -> None:
    own = rows([*seeds("a", (10.0, 10.1, 10.2)), *seeds("b", (20.0, 20.1, 20.2))])
    shared = [
        replace(row, published=True) for row in rows([*seeds("a", (10.0, 10.1)), *seeds("c", (30.0, 30.1, 30.2))])
    ]
    found = {(each.row.label, each.row.published): each.rank for each in rank([*own, *shared])}
    assert found == {("a", False): "1", ("b", False): "2", ("a", True): "", ("c", True): "3"}
