"""The verdict on a run that was trained again, at the edges of its rule, and what is said to explain it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from ganbench.reproduction.compare import UNKNOWN, Comparison, Result, Verdict, bound, compare
from ganbench.store.run_record import RunStatus

from ..store.factory import run_record, score_record

THEN, NOW = Path("runs/x/run.json"), Path("reproduced/x/run.json")


def result(index: int, fid: float, **changes: Any) -> Result:
    run = run_record("tiny", index, **changes)
    return Result(run, score_record(run, fid=fid, recall=0.5))


def seeds(values: tuple[float, ...]) -> list[Result]:
    return [result(index, fid) for index, fid in enumerate(values)]


ROW = seeds((20.0, 22.0, 24.0))  # sd 2


def again(fid: float, index: int = 0, *, recall: float = 0.5, **changes: Any) -> Result:
    """Return a result with other samples than the recorded one."""
    run = run_record("tiny", index)
    assert run.samples is not None
    run = run.model_copy(update={"samples": run.samples.model_copy(update={"sha256": "1" * 64}), **changes})
    return Result(run, score_record(run, fid=fid, recall=recall))


def verdict_on(new: Result, *, recorded: Result = ROW[0], row: list[Result] = ROW) -> Comparison:
    return compare(recorded, THEN, new, NOW, row, "fid")


def test_the_bound_is_a_prediction_interval_for_two_draws() -> None:
    # t(0.975, 2) is 4.302653 in any table.
    assert bound(2.0, 3) == pytest.approx(4.302653 * 2.0 * math.sqrt(2), rel=1e-6)
    assert bound(0.0, 3) == 0.0


def test_the_same_samples_and_scores_are_equal() -> None:
    found = verdict_on(ROW[0])
    assert (found.verdict, found.why) == (Verdict.EQUAL, [])
    assert found.sentence == "all 1,000 samples are the same to the last bit, and so are all 2 metrics"
    assert [each.name for each in found.metrics] == ["fid", "recall"]
    assert found.metrics[0].sd == pytest.approx(2.0)


def test_other_samples_with_the_same_scores_are_not_equal() -> None:
    assert verdict_on(again(20.0)).verdict is Verdict.NOISE


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
    found = verdict_on(again(fid))
    assert found.verdict is verdict
    headline = found.metrics[0]
    assert headline.beyond == (verdict is Verdict.DIFFERENT)
    assert headline.difference == pytest.approx(fid - 20.0)
    assert headline.in_sds == pytest.approx((fid - 20.0) / 2.0)
    assert found.why == [UNKNOWN]


@pytest.mark.parametrize("n", [3, 10, 11])
def test_a_record_cannot_widen_its_own_excuse(n: int) -> None:
    row = seeds((1e6, *(20.0 + 0.01 * at for at in range(n - 1))))
    assert verdict_on(again(20.0), recorded=row[0], row=row).verdict is Verdict.DIFFERENT
    assert verdict_on(again(20.001, 1), recorded=row[1], row=row).verdict is Verdict.NOISE


def test_other_metrics_are_marked_and_do_not_decide() -> None:
    found = verdict_on(again(20.0, recall=0.9))
    assert found.verdict is Verdict.NOISE
    assert [each.name for each in found.metrics if each.beyond] == ["recall"]
    assert "other things are not" in found.sentence


def test_without_a_spread_only_the_same_is_no_difference() -> None:
    assert verdict_on(ROW[0], row=ROW[:1]).verdict is Verdict.EQUAL
    found = verdict_on(again(20.001), row=ROW[:1])
    assert found.verdict is Verdict.DIFFERENT
    assert "no spread to compare it with: 1 ok seed of the row" in found.sentence
    assert (found.metrics[0].sd, found.metrics[0].bound, found.metrics[0].beyond) == (None, None, False)
    failed = Result(run_record("tiny", 1, status=RunStatus.OOM), None)
    assert verdict_on(again(20.001), row=[ROW[0], failed]).verdict is Verdict.DIFFERENT


def test_equal_seeds_leave_no_room() -> None:
    row = seeds((20.0, 20.0, 20.0))
    assert verdict_on(again(20.001), recorded=row[0], row=row).verdict is Verdict.DIFFERENT
    assert verdict_on(row[0], recorded=row[0], row=row).metrics[0].in_sds is None


def test_steps_count_and_scores_may_be_missing() -> None:
    found = verdict_on(Result(ROW[0].run.model_copy(update={"steps": 124, "images": 7936}), ROW[0].score))
    assert found.verdict is Verdict.NOISE
    assert found.why == ["images and steps: 8,000 and 125 then, 7,936 and 124 now"]
    found = verdict_on(Result(again(20.0).run, None))
    assert (found.verdict, found.sentence) == (
        Verdict.DIFFERENT,
        "the samples differ, and there is no fid on both sides to compare",
    )
    unscored = Result(ROW[0].run, None)
    assert verdict_on(unscored, recorded=unscored).sentence.endswith("; it was not scored")


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
    recorded, new = (
        Result(run_record("tiny", status=RunStatus(status), reason=reason), None)
        for status, reason in (text.split(": ") for text in (then, now))
    )
    found = verdict_on(new, recorded=recorded)
    assert found.verdict is verdict
    assert said in found.sentence


def test_what_differs_is_named() -> None:
    then = {"started": "a", "command": ["ganbench", "run", "--memory-limit=2GiB"], "torch": "2.14.0", "git_dirty": True}
    now = {"started": "b", "command": [], "torch": "2.15.0", "git_dirty": True, "threads": 2}
    recorded = Result(run_record("tiny", status=RunStatus.OOM, reason="no\nroom", provenance=then), None)
    new = Result(run_record("tiny", provenance=now, resumed=[640]), None)
    found = verdict_on(new, recorded=recorded)
    assert found.why == [
        "torch: 2.14.0 then, 2.15.0 now",
        "threads: none then, 2 now",
        "both ran from a checkout with changes that were not committed",
        "trained in 2 pieces now",
        "then it ran under --memory-limit=2GiB, which decides how a run ends",
    ]
    assert "\n" not in found.sentence


def test_the_whole_comparison_is_json() -> None:
    found = json.loads(verdict_on(again(21.0)).model_dump_json())
    assert (found["verdict"], found["key"], found["recorded"]["path"]) == ("within noise", ROW[0].run.key, str(THEN))
    assert found["metrics"][0]["recorded"] == 20.0
    assert found["reproduced"]["samples_sha256"] == "1" * 64
