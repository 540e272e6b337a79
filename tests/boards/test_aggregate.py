from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ganbench.boards.aggregate import COPIES, estimate
from ganbench.metric import HEADLINE
from ganbench.store.run_record import RunStatus

from .factory import METRICS, make, rows, seeds


@pytest.mark.parametrize("values", [(20.0, 21.0), (19.0, 20.0, 21.5), (3.0, 1.0, 4.0, 1.5, 9.0)])
def test_interval_is_the_t_interval_over_seeds(values: tuple[float, ...]) -> None:
    found = estimate(values, HEADLINE)
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert found is not None
    assert found.mean == pytest.approx(np.mean(values), rel=1e-12)
    assert (found.low, found.high, found.n) == (pytest.approx(max(low, 0)), pytest.approx(high), len(values))


def test_one_seed_has_a_mean_and_no_interval() -> None:
    found = estimate([5.0], HEADLINE)
    assert found is not None
    assert (found.mean, found.low, found.high, found.n, found.half_width) == (5.0, None, None, 1, None)
    assert estimate([], HEADLINE) is None


def test_interval_is_cut_to_the_range_and_half_width_comes_from_the_other_side() -> None:
    found, low, high = (
        estimate(values, metric)
        for values, metric in (
            ([0.90, 0.99, 0.99], METRICS["recall"]), ([0.1, 30.0], HEADLINE), ([1.1, 9.0], METRICS["is"])
        )
    )  # fmt: skip
    assert found and low and high
    assert found.high == 1.0
    assert found.low is not None and found.low < 0.93
    assert found.half_width == pytest.approx(found.mean - found.low)
    assert low.low == 0.0
    assert high.high is not None and high.high > 10


def test_means_are_over_ok_runs_and_failures_are_counted_with_their_reason() -> None:
    failed = [make("tiny", at, status=RunStatus.DIVERGED, reason="loss is NaN") for at in (2, 3)]
    (row,) = rows([*seeds("tiny", (10.0, 30.0)), *failed])
    assert row.headline
    assert (row.runs, row.failed, row.headline.mean, row.headline.n) == (2, 2, 20.0, 2)
    assert row.note == "diverged: loss is NaN (2 of 4 runs)"
    assert row.train_seconds == 12.5
    assert row.peak_memory_mib == 300.0
    assert (row.parameters, row.samples) == (1234, 1000)


def test_flops_are_averaged_over_ok_runs_that_know_them() -> None:
    counted = [make("tiny", at, record={"flops": flops}) for at, flops in enumerate((1e12, 2e12, None))]
    failed = make("tiny", 3, status=RunStatus.KILLED, record={"flops": 9e12})
    (row,) = rows([*counted, failed])
    assert row.flops == 1.5e12
    (row,) = rows([make("fitted")])
    assert row.flops is None


def test_a_model_that_only_failed_has_its_row_and_blanks() -> None:
    (row,) = rows([make("tiny", 0, status=RunStatus.KILLED)])
    assert (row.runs, row.failed, row.metrics, row.samples) == (0, 1, {}, None)
    assert (row.parameters, row.images_per_second, row.train_seconds, row.peak_memory_mib) == (None,) * 4
    assert row.note == "killed: no reason given (1 of 1 runs)"


def test_a_run_without_scores_is_said_and_is_in_no_mean() -> None:
    (row,) = rows([*seeds("tiny", (10.0, 30.0)), make("tiny", 2, scored=False)])
    assert (row.runs, row.failed, row.samples) == (2, 1, 1000)
    assert row.note == "not scored: `ganbench score` scores it (1 of 3 runs)"


def test_a_metric_that_some_runs_lack_is_averaged_over_those_that_have_it() -> None:
    (row,) = rows([make("tiny", 0, cas=0.9), make("tiny", 1)])
    assert row.metrics["cas"].n == 1
    assert row.metrics["fid"].n == 2
    assert "cas_oracle" not in row.metrics


def test_why_a_metric_has_no_value_is_said_unless_it_does_not_apply() -> None:
    skipped = {"cas": "needs labels", "recall": "fewer than 6 samples"}
    (row,) = rows([make("tiny", 0, skipped=skipped), make("tiny", 1)])
    assert row.flags == ("no recall: fewer than 6 samples (1 of 2 runs)",)


def test_flags_of_runs_stand_on_the_row_once() -> None:
    (row,) = rows(seeds("tiny", (1.0, 2.0), record={"flags": ["drew samples twice"]}))
    assert row.flags == ("drew samples twice",)


def test_a_baseline_is_one_run_whatever_copies_there_are() -> None:
    (row,) = rows(seeds("real", (2.0, 9.0), role="ceiling"))
    assert (row.runs, row.headline and row.headline.mean, row.images_per_second) == (1, 2.0, None)


def test_copying_is_flagged_for_models_by_the_upper_bound_against_half_the_ceiling() -> None:
    uncertain = [make("uncertain", at, authenticity=value) for at, value in enumerate((0.1, 0.3, 0.5))]
    found = rows([
        make("real", 0, 2.0, role="ceiling", authenticity=0.8),
        *seeds("copier", (9.0, 9.1, 9.2), authenticity=0.39),
        *seeds("honest", (9.0, 9.1, 9.2), authenticity=0.41),
        *uncertain,
        make("lone-copier", 0, authenticity=0.05),
        make("replay", 0, 1.0, role="memoriser", authenticity=0.0),
    ])  # fmt: skip
    assert {row.label for row in found if COPIES in row.flags} == {"copier", "lone-copier"}


def test_what_is_nearer_to_noise_than_to_real_images_copies_nothing() -> None:
    found = rows([
        make("real", 0, 2.0, role="ceiling", authenticity=0.8),
        make("noise", 0, 900.0, role="floor", authenticity=1.0),
        *seeds("blots", (500.0, 510.0), authenticity=0.1),
        *seeds("copier", (9.0, 9.1), authenticity=0.1),
    ])  # fmt: skip
    assert [row.label for row in found if COPIES in row.flags] == ["copier"]


def test_scores_on_another_number_of_samples_are_said() -> None:
    (row,) = rows([make("tiny", 0, n=500), make("tiny", 1)])
    assert row.samples == 500
    assert "500 samples where the track asks for 1000" in row.note
