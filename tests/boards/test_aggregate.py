from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ganbench.boards.aggregate import COPIES, aggregate, estimate
from ganbench.metric import HEADLINE
from ganbench.registry.builtin_metrics import METRICS
from ganbench.store.run_record import Status

from .factory import make, seeds

BY_NAME = {metric.name: metric for metric in METRICS}


@pytest.mark.parametrize("values", [(20.0, 21.0), (19.0, 20.0, 21.5), (3.0, 1.0, 4.0, 1.5, 9.0)])
def test_interval_is_the_t_interval_over_seeds(values):
    found = estimate(values, HEADLINE)
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert found.mean == pytest.approx(np.mean(values), rel=1e-12)
    assert (found.low, found.high, found.n) == (pytest.approx(max(low, 0)), pytest.approx(high), len(values))


def test_one_seed_has_a_mean_and_no_interval():
    found = estimate([5.0], HEADLINE)
    assert (found.mean, found.low, found.high, found.n) == (5.0, None, None, 1)
    assert estimate([], HEADLINE) is None


def test_interval_is_cut_to_the_range_and_half_width_comes_from_the_other_side():
    found = estimate([0.90, 0.99, 0.99], BY_NAME["recall"])
    assert found.high == 1.0
    assert found.low < 0.93
    assert found.half_width == pytest.approx(found.mean - found.low)
    assert estimate([0.1, 30.0], HEADLINE).low == 0.0
    assert estimate([1.1, 9.0], BY_NAME["is"]).high > 10


def test_means_are_over_ok_trials_and_failures_are_counted_with_their_reason():
    failed = [make("tiny", at, status=Status.DIVERGED, reason="loss is NaN") for at in (2, 3)]
    (row,) = aggregate([*seeds("tiny", (10.0, 30.0)), *failed])
    assert (row.trials, row.failed, row.headline.mean, row.headline.n) == (2, 2, 20.0, 2)
    assert row.note == "diverged: loss is NaN (2 of 4 trials)"
    assert row.train_seconds == 12.5
    assert row.peak_memory_mib == 300.0
    assert (row.parameters, row.samples) == (1234, 1000)


def test_a_model_that_only_failed_has_its_row_and_blanks():
    (row,) = aggregate([make("tiny", 0, status=Status.KILLED)])
    assert (row.trials, row.failed, row.metrics, row.samples) == (0, 1, {}, None)
    assert (row.parameters, row.images_per_second, row.train_seconds, row.peak_memory_mib) == (None,) * 4
    assert row.note == "killed: no reason given (1 of 1 trials)"


def test_a_metric_that_some_trials_lack_is_averaged_over_those_that_have_it():
    (row,) = aggregate([make("tiny", 0, acc=0.9), make("tiny", 1)])
    assert row.metrics["acc"].n == 1
    assert row.metrics["fid"].n == 2
    assert "acc_oracle" not in row.metrics


def test_copying_is_flagged_for_models_by_the_upper_bound_against_half_the_ceiling():
    real = seeds("real", (2.0, 2.0, 2.0), role="ceiling", authenticity=0.8)
    uncertain = [make("uncertain", at, authenticity=value) for at, value in enumerate((0.1, 0.3, 0.5))]
    rows = aggregate([
        *real,
        *seeds("copier", (9.0, 9.1, 9.2), authenticity=0.39),
        *seeds("honest", (9.0, 9.1, 9.2), authenticity=0.41),
        *uncertain,
        make("lone-copier", 0, authenticity=0.05),
        *seeds("replay", (1.0, 1.0), role="memoriser", authenticity=0.0),
    ])  # fmt: skip
    assert {row.label for row in rows if COPIES in row.flags} == {"copier", "lone-copier"}


def test_scores_on_another_number_of_samples_are_said():
    (row,) = aggregate([make("tiny", 0, n=500), make("tiny", 1)])
    assert row.samples == 500
    assert "500 samples where the track asks for 1000" in row.note
