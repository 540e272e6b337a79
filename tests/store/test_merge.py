"""Two records of the same samples become one, and nothing that is known is lost."""

from __future__ import annotations

import pytest

from ganbench.store.merge import merge
from ganbench.store.score_record import CurveScores, ScoreRecord

from .factory import protocol, run_record, score_record

RUN = run_record()


def values(record: ScoreRecord) -> dict[str, float]:
    return {name: score.value for name, score in record.metrics.items()}


def test_metrics_of_both_are_kept_in_order_and_the_later_one_wins() -> None:
    old = score_record(RUN, fid=20.0, acc=0.5, skipped={"vendi": "needs labels"})
    new = score_record(RUN, recall=0.2, fid=21.0, changes={"provenance": {"started": "later"}, "seconds": 2.0})
    merged = merge(old, new)
    assert list(values(merged).items()) == [("fid", 21.0), ("acc", 0.5), ("recall", 0.2)]
    assert list(merged.metric_info) == ["fid", "acc", "vendi", "recall"]
    assert merged.skipped == {"vendi": "needs labels"}
    assert (merged.seconds, merged.provenance) == (3.5, {"started": "later"})
    assert merge(merged, merged).metrics == merged.metrics


@pytest.mark.parametrize("newer_first", [True, False])
def test_the_newer_version_of_a_metric_wins_whoever_wrote_last(newer_first: bool) -> None:
    newer, older = score_record(RUN, fid=1.0, versions={"fid": 2}), score_record(RUN, fid=9.0, acc=0.5)
    merged = merge(newer, older) if newer_first else merge(older, newer)
    assert values(merged) == {"fid": 1.0, "acc": 0.5}
    assert merged.metric_info["fid"].version == 2
    assert [point.metrics["fid"] for point in merged.curve] == [point.metrics["fid"] for point in newer.curve]
    assert all("acc" in point.metrics for point in merged.curve)


def test_a_value_is_not_lost_to_a_reason_of_the_same_version() -> None:
    value, reason = score_record(RUN, fid=1.0, acc=0.5), score_record(RUN, fid=1.0, skipped={"acc": "out of memory"})
    for one, other in ((value, reason), (reason, value)):
        merged = merge(one, other)
        assert (values(merged), merged.skipped) == ({"fid": 1.0, "acc": 0.5}, {})
    newer = score_record(RUN, fid=1.0, skipped={"acc": "needs labels"}, versions={"acc": 2})
    merged = merge(value, newer)
    assert (values(merged), merged.skipped) == ({"fid": 1.0}, {"acc": "needs labels"})
    assert all("acc" not in point.metrics for point in merged.curve)


def test_points_of_a_curve_are_merged_by_their_samples_and_by_metric() -> None:
    def point(images: int, samples: str, **metrics: float) -> CurveScores:
        return CurveScores(images=images, samples_sha256=samples * 64, n=500, metrics=metrics)

    old = score_record(RUN, fid=1.0, curve=False, changes={"curve": [point(1, "a", fid=5.0, fid_se=0.5), point(2, "b", fid=4.0)]})  # fmt: skip  # noqa: E501
    new = score_record(RUN, acc=1.0, curve=False, changes={"curve": [point(4, "a", acc=0.1), point(2, "b", acc=0.2)]})
    assert merge(old, new).curve == [
        point(1, "a", fid=5.0, fid_se=0.5), point(2, "b", fid=4.0, acc=0.2), point(4, "a", acc=0.1),
    ]  # fmt: skip
    newer = score_record(RUN, fid=1.0, versions={"fid": 2}, curve=False)
    assert merge(old, newer).curve == []  # a curve of a definition that is no more


def test_what_is_of_other_samples_is_not_merged() -> None:
    old = score_record(RUN)
    others = [
        score_record(RUN, changes={"samples_sha256": "0" * 64}), score_record(RUN, protocol(samples=7)),
        score_record(run_record("another")),
    ]  # fmt: skip
    for other in others:
        with pytest.raises(ValueError, match="cannot be merged"):
            merge(old, other)
