"""Two rows compared, against answers worked out by hand."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

import ganbench
from ganbench.boards.compare import RowComparison, Verdict, Wins, compare, compare_metric, find_row
from ganbench.boards.compare_json import as_json
from ganbench.boards.compare_text import advice, change, more_seeds, percent, ratio, sentence
from ganbench.boards.entries import Column, columns_of
from ganbench.metric import MetricInfo
from ganbench.store.run_record import RunStatus

from .factory import PROVENANCE, REQUEST, Made, full, make, rows, seeds

DOCS = Path(__file__).parents[2] / "docs" / "compare.md"
# log FID 1, 2, 3 against 3, 4, 5: means 2 and 4, variances 1 and 1, three seeds each, four degrees of freedom
LOW, HIGH = [[math.exp(value) for value in values] for values in ((1, 2, 3), (3, 4, 5))]


def student4(t: float) -> float:
    """Student's distribution with four degrees of freedom, in closed form."""
    share = 1 + t * t / 4
    return 0.5 + 0.375 * t / math.sqrt(share) * (1 - t * t / share / 12)


def compared(*made: Made, a: str = "a", b: str = "b") -> RowComparison:
    found = rows(made)
    entries = [entry for row in found for entry in row.entries]
    labels = {row.label: row for row in found}
    return compare(labels[a], labels[b], REQUEST, columns_of(entries, REQUEST.metrics))


def pair() -> list[Made]:
    return [*seeds("a", LOW), *seeds("b", HIGH)]


def test_known_answers() -> None:
    found = compared(*pair())
    headline = found.headline
    assert headline.column.name == "fid"
    assert headline.probability_better == pytest.approx(student4(2 / math.sqrt(2 / 3)))
    assert found.probability_next_better == pytest.approx(student4(2 / math.sqrt(8 / 3)))
    half = 2.776445 * math.sqrt(2 / 3)  # t(0.975) of four degrees of freedom, from a table
    assert headline.change == pytest.approx(math.exp(-2))
    assert (headline.low, headline.high) == pytest.approx((math.exp(-2 - half), math.exp(-2 + half)), rel=1e-5)
    assert (found.same_seed, found.all_pairs) == (Wins(3, 0, 0), Wins(8, 0, 1))
    # five of each would need a gap of (2.306 + 0.889) sqrt(2 / 5) = 2.02, six one of (2.228 + 0.879) sqrt(2 / 6) = 1.79
    assert found.seeds_needed == 6
    assert more_seeds(found) == (3, 3)
    assert found.verdict is Verdict.NOT_TOLD_APART
    assert sentence(found) == (
        "a and b are not told apart by these seeds: FID 7.39 against 54.6, a ratio of 0.135 [0.0140, 1.31]; "
        "that a is better is sure by 96.5 % only"
    )
    assert advice(found) == "about 3 more of each would do in 8 cases of 10, if the two are as they seem"


def test_the_other_way_round_it_says_the_same() -> None:
    made = [
        *(make("a", at, fid, curve=True, **{"is": 8.0 + at}) for at, fid in enumerate(LOW)),
        *(make("b", at, fid, curve=True, **{"is": 7.0 - at}) for at, fid in enumerate([*HIGH, 200.0])),
        make("b", 4, status=RunStatus.OOM),
    ]
    forth, back = compared(*made), compared(*made, a="b", b="a")
    assert (forth.verdict, back.verdict) == (Verdict.BETTER, Verdict.WORSE)
    assert forth.seeds_needed == back.seeds_needed
    assert forth.probability_next_better == pytest.approx(1 - back.probability_next_better)  # type: ignore[operator]
    for mine, other in ((forth.same_seed, back.same_seed), (forth.all_pairs, back.all_pairs)):
        assert mine == Wins(other.b, other.a, other.ties)
    for one, two in zip(forth.metrics, back.metrics, strict=True):
        assert one.column == two.column
        if one.probability_better is not None:
            assert one.probability_better == pytest.approx(1 - two.probability_better)  # type: ignore[operator]
        mirrored = (1 / two.change, 1 / two.high, 1 / two.low) if one.ratio else (-two.change, -two.high, -two.low)  # type: ignore[operator]
        assert (one.change, one.low, one.high) == pytest.approx(mirrored)
    assert [(at.at, at.a, at.b) for at in forth.at_seconds] == [(at.at, at.b, at.a) for at in back.at_seconds]
    assert "a is better than b" in sentence(forth)
    assert "b is worse than a" in sentence(back)
    assert sentence(forth).rsplit(";", 1)[1] == sentence(back).rsplit(";", 1)[1]


def test_every_metric_is_judged_in_its_own_direction() -> None:
    made = [
        *(make("a", at, 10.0 + at, **{"is": 8.0 + at / 10}) for at in range(3)),
        *(make("b", at, 40.0 + at, **{"is": 6.0 + at / 10}) for at in range(3)),
    ]
    found = {each.column.name: each for each in compared(*made).metrics}
    assert list(found)[0] == "fid"
    score = found["is"]
    assert score.probability_better is not None and score.probability_better > 0.999
    # difference 2, variances 0.01: half the width is t(0.975, 4) sqrt(0.02 / 3)
    assert score.change == pytest.approx(2)
    assert score.high == pytest.approx(2 + 2.776445 * math.sqrt(0.02 / 3), rel=1e-5)
    assert change(score) == "+2.00 ± 0.23"
    info = MetricInfo(name="copying", title="C_T", direction="neither", meaning="x", source="x")
    neither = compare_metric(Column("copying", "C_T", info), *(row.metrics["is"] for row in rows(made)))
    assert neither.probability_better is None
    assert neither.low is not None
    assert "cas" not in found  # neither side has it


def test_one_seed_says_what_it_can_say() -> None:
    found = compared(*seeds("a", LOW), make("b", 0, 54.6))
    assert found.verdict is Verdict.ONE_SEED
    assert found.headline.change == pytest.approx(math.exp(2) / 54.6)
    assert (found.headline.low, found.headline.probability_better, found.seeds_needed) == (None, None, None)
    assert found.probability_next_better is None
    assert sentence(found) == "b has one seed, which says nothing of the next: FID 7.39 against 54.6, a ratio of 0.135"
    assert advice(found) == "not known: an estimate takes two seeds of each"
    assert "a and b have one seed each" in sentence(compared(make("a"), make("b")))


def test_what_is_made_once_has_no_seed() -> None:
    found = compared(*full(), a="dcgan", b="real")
    assert sentence(found).startswith(
        "real (ceiling) is made once, and no seeds of it can be tested: FID 20.1 against 2.00"
    )
    assert (found.same_seed.pairs, found.all_pairs) == (0, Wins(0, 3, 0))


def test_a_failed_run_loses_and_counts_as_worst() -> None:
    crashed = make("a", 3, status=RunStatus.DIVERGED, reason="loss is NaN")
    found = compared(*seeds("a", (10.0, 10.5, 11.0)), crashed, *seeds("b", (20.0, 21.0, 22.0, 23.0)))
    assert found.same_seed == Wins(3, 1, 0)
    assert found.all_pairs == Wins(12, 4, 0)
    assert found.headline.a is not None and found.headline.a.n == 4
    # the three alone are told apart, with one of four at the board's worst they are not
    assert found.verdict is Verdict.NOT_TOLD_APART
    failed = (make(label, 1, status=RunStatus.OOM) for label in "ab")
    both = compared(make("a", 0, 10.0), make("b", 0, 20.0), *failed)
    assert both.same_seed == Wins(1, 0, 1)


def test_a_row_without_a_value_says_why() -> None:
    found = compared(*full(), a="broken", b="dcgan")
    assert found.verdict is Verdict.NO_VALUE
    assert sentence(found) == "broken has no FID: oom: out of memory at 9 GiB (3 of 3 runs)"
    assert advice(found) == "not known: a side has no FID"
    assert found.same_seed == Wins(0, 3, 0)
    unscored = compared(*seeds("a", LOW), make("b", 0, scored=False))
    assert "b has no FID: not scored" in sentence(unscored)
    assert unscored.all_pairs.pairs == 0
    json.dumps(as_json(found), allow_nan=False)


def test_how_many_more_seeds() -> None:
    assert advice(compared(*seeds("a", (10.0, 10.1)), *seeds("b", (90.0, 90.1)))).startswith("none are needed")
    equal = compared(*seeds("a", (10.0, 20.0)), *seeds("b", (10.0, 20.0)))
    assert equal.seeds_needed is None
    assert advice(equal) == "more than 1,000 of each, if the two are as they seem"
    assert "neither leads" in sentence(equal)
    uneven = compared(*seeds("a", LOW), *seeds("b", [math.exp(value) for value in (2.5, 3, 4, 5, 5.5)]))
    more = more_seeds(uneven)
    assert more is not None and uneven.seeds_needed is not None
    assert more == (uneven.seeds_needed - 3, uneven.seeds_needed - 5)
    assert f"about {more[0]} more of A and {more[1]} more of B" in advice(uneven)


def test_a_row_is_found_by_its_label_or_as_boards_show_it() -> None:
    found = rows([*seeds("a", LOW), make("vae[latent_dim=64]"), make("real", role="ceiling")])
    theirs = [replace(found[0], published=True), *found]
    assert find_row(theirs, "a", "tiny") is found[0]
    assert find_row(theirs, "a (published)", "tiny") is theirs[0]
    assert find_row(theirs[:1], "a", "tiny") is theirs[0]
    assert find_row(found, "vae[latent_dim=64]", "tiny").label == "vae[latent_dim=64]"
    assert find_row(found, "real (ceiling)", "tiny").role == "ceiling"
    with pytest.raises(ganbench.RequestError) as error:
        find_row(found, "vae[latent_dim=46]", "tiny")
    assert str(error.value) == (
        "'vae[latent_dim=46]' is no row of the board tiny (did you mean 'vae[latent_dim=64]'?); "
        "there is: a, vae[latent_dim=64], real"
    )
    left_out = ["left out 3 runs of dcgan: trained with other code than x has here", "left out 1 run of vae: x"]
    with pytest.raises(
        ganbench.RequestError, match=r"\(there is: a, real, vae\[latent_dim=64\]\); left out 3 runs"
    ) as error:
        find_row(found, "dcgan", "tiny", left_out)
    assert "run of vae" not in str(error.value)


def test_another_n_is_said() -> None:
    found = compared(*seeds("a", LOW, n=500), *seeds("b", HIGH))
    assert "a ratio of 0.135 [0.0140, 1.31] (scored on 500 and 1,000 samples, which changes FID);" in sentence(found)


def test_seconds_of_different_machines_are_known() -> None:
    other = {"provenance": PROVENANCE | {"cpu": "another"}}
    assert compared(*pair()).same_machine
    assert not compared(*seeds("a", LOW), *seeds("b", HIGH, record=other)).same_machine


def test_numbers_read_well() -> None:
    assert [ratio(value) for value in (0.0978, 1.0, 12.04, 1234.0)] == ["0.0978", "1.00", "12.0", "1234"]
    assert [percent(value) for value in (0.99951, 0.821, 0.0004)] == ["more than 99.9 %", "82.1 %", "less than 0.1 %"]


def keys(values: object) -> set[str]:
    if isinstance(values, dict):
        return set(values) | {key for each in values.values() for key in keys(each)}
    return {key for each in values for key in keys(each)} if isinstance(values, list) else set()


def test_json_has_the_documented_keys_whatever_is_known() -> None:
    whole, sparse = as_json(compared(*full(), a="dcgan", b="vanilla")), as_json(compared(*full(), a="broken", b="lone"))
    documented = set(re.findall(r"`(\w+)`", DOCS.read_text().split("## JSON")[1].split("Of two reports:")[0]))
    assert keys(whole) <= documented
    assert documented - keys(whole) <= {"better", "worse", "ratio", "difference"}, "documented, but not there"
    assert set(whole) == set(sparse)
    assert set(whole["a"]) == set(sparse["a"])
    assert whole["a"]["seeds"] == [0, 1, 2]
    assert whole["metrics"][0]["name"] == "fid"
    assert sparse["metrics"][0]["a"] is None
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
