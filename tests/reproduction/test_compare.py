"""The verdict on a trial that was done again, at the edges of its rule, and what is said to explain it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ganbench.reproduction.compare import NOTHING, Comparison, Verdict, bound, compare
from ganbench.store.run_record import Record, Status

from .boards.factory import TRACK, make, seeds

THEN, NOW = Path("runs/x/record.json"), Path("reproduced/x/record.json")
ROW = seeds("tiny", (20.0, 22.0, 24.0))  # sd 2


def judged(again: Record, *, record: Record = ROW[0], row: list[Record] = ROW) -> Comparison:
    return compare(record, THEN, again, NOW, row)


def test_the_bound_is_a_prediction_interval_for_two_draws() -> None:
    # t(0.975, 2) is 4.302653 in any table.
    assert bound(2.0, 3) == pytest.approx(4.302653 * 2.0 * math.sqrt(2), rel=1e-6)
    assert bound(0.0, 3) == 0.0


def test_the_same_numbers_are_equal() -> None:
    found = judged(ROW[0])
    assert (found.verdict, found.why) == (Verdict.EQUAL, [])
    assert "all 3 metrics" in found.sentence
    assert [each.name for each in found.metrics] == ["fid", "is", "authenticity"]
    assert found.metrics[0].sd == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("fid", "verdict"),
    [
        (20.0 + 1e-12, Verdict.NOISE),
        (20.0 + bound(2.0, 3) - 1e-9, Verdict.NOISE),
        (20.0 + bound(2.0, 3) + 1e-9, Verdict.DIFFERENT),
        (20.0 - bound(2.0, 3) + 1e-9, Verdict.NOISE),
        (20.0 - bound(2.0, 3) - 1e-9, Verdict.DIFFERENT),
    ],
)
def test_the_headline_decides_at_its_bound(fid: float, verdict: Verdict) -> None:
    found = judged(make("tiny", 0, fid))
    assert found.verdict is verdict
    headline = found.metrics[0]
    assert headline.beyond == (verdict is Verdict.DIFFERENT)
    assert headline.difference == pytest.approx(fid - 20.0)
    assert headline.in_sds == pytest.approx((fid - 20.0) / 2.0)
    assert found.why == [NOTHING]


@pytest.mark.parametrize("n", [3, 10, 11])
def test_a_record_cannot_widen_its_own_excuse(n: int) -> None:
    row = seeds("tiny", (1e6, *(20.0 + 0.01 * at for at in range(n - 1))))
    assert judged(make("tiny", 0, 20.0), record=row[0], row=row).verdict is Verdict.DIFFERENT
    assert judged(make("tiny", 1, 20.001), record=row[1], row=row).verdict is Verdict.NOISE


def test_other_metrics_are_marked_and_do_not_decide() -> None:
    again = make("tiny", 0, 20.0, authenticity=0.5)
    found = judged(again)
    assert found.verdict is Verdict.NOISE
    assert [each.name for each in found.metrics if each.beyond] == ["authenticity"]
    assert "other things are not" in found.sentence


def test_without_a_spread_only_the_same_is_no_difference() -> None:
    assert judged(make("tiny", 0, 20.0), row=ROW[:1]).verdict is Verdict.EQUAL
    found = judged(make("tiny", 0, 20.001), row=ROW[:1])
    assert found.verdict is Verdict.DIFFERENT
    assert "no spread to judge by: 1 ok seed of the row" in found.sentence
    assert (found.metrics[0].sd, found.metrics[0].bound, found.metrics[0].beyond) == (None, None, False)
    failed = make("tiny", 1, status=Status.OOM, reason="out of memory")
    assert judged(make("tiny", 0, 20.001), row=[ROW[0], failed]).verdict is Verdict.DIFFERENT


def test_equal_seeds_leave_no_room() -> None:
    row = seeds("tiny", (20.0, 20.0, 20.0))
    assert judged(make("tiny", 0, 20.001), row=row).verdict is Verdict.DIFFERENT
    assert judged(row[0], row=row).metrics[0].in_sds is None


def test_steps_and_missing_metrics_count_too() -> None:
    found = judged(ROW[0].model_copy(update={"steps": 124, "images": 7936}))
    assert found.verdict is Verdict.NOISE
    assert found.why == ["images and steps: 8,000 and 125 then, 7,936 and 124 now"]
    less = {name: score for name, score in ROW[0].metrics.items() if name != "is"}
    found = judged(ROW[0].model_copy(update={"metrics": less, "absent": {"is": "its value is nan"}}))
    assert found.verdict is Verdict.NOISE
    assert found.why == ["no is now: its value is nan"]
    none = ROW[0].model_copy(update={"metrics": {"is": ROW[0].metrics["is"]}})
    found = judged(none)
    assert (found.verdict, found.sentence) == (
        Verdict.DIFFERENT,
        "only one of both has a value of FID, which would decide",
    )


@pytest.mark.parametrize(
    ("then", "now", "verdict", "said"),
    [
        ("diverged: loss is NaN", "diverged: loss is NaN", Verdict.EQUAL, "it fails again as recorded (diverged: loss"),
        (
            "diverged: loss is NaN",
            "diverged: loss is inf",
            Verdict.DIFFERENT,
            "recorded was diverged: loss is NaN; now",
        ),
        ("oom: no room", "failed: no room", Verdict.DIFFERENT, "now it is failed: no room"),
        ("oom: no room", "ok: ", Verdict.DIFFERENT, "recorded was oom: no room; now it is ok"),
        ("ok: ", "killed: by SIGKILL", Verdict.DIFFERENT, "recorded was ok; now it is killed: by SIGKILL"),
    ],
)
def test_a_failure_is_equal_where_it_fails_alike(then: str, now: str, verdict: Verdict, said: str) -> None:
    record, again = (
        make("tiny", 0, status=Status(status), reason=reason)
        for status, reason in (text.split(": ") for text in (then, now))
    )
    found = judged(again, record=record)
    assert found.verdict is verdict
    assert said in found.sentence


def test_what_differs_is_named() -> None:
    then = {"started": "a", "command": ["ganbench", "run", "--memory=2GiB"], "torch": "2.14.0", "git_dirty": True}
    now = {"started": "b", "command": [], "torch": "2.15.0", "git_dirty": True, "threads": 2}
    record = make("tiny", 0, status=Status.OOM, reason="no\nroom", provenance=then)
    again = make("tiny", 0, 21.0, provenance=now).model_copy(update={"resumed": [640]})
    found = judged(again, record=record)
    assert found.why == [
        "torch: 2.14.0 then, 2.15.0 now",
        "threads: none then, 2 now",
        "both ran from a checkout with changes that were not committed",
        "trained in 2 pieces now",
        "then it ran under --memory=2GiB, which decides how a trial ends",
    ]
    assert "\n" not in found.sentence


def test_a_budget_of_seconds_cannot_be_spent_alike() -> None:
    track = TRACK.with_budget("90s")
    record, again = (make("tiny", 0, fid, track=track) for fid in (20.0, 21.0))
    assert "the budget 90s has seconds" in judged(again, record=record).why[0]


def test_the_whole_comparison_is_json() -> None:
    found = json.loads(judged(make("tiny", 0, 21.0)).model_dump_json())
    assert (found["verdict"], found["key"], found["recorded"]["path"]) == ("within noise", ROW[0].key, str(THEN))
    assert found["metrics"][0]["recorded"] == 20.0
    assert found["reproduced"]["provenance"]["torch"] == "2.15.0"
