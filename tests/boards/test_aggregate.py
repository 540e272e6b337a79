from __future__ import annotations

import math

import pytest

from ganbench.boards.flags import COPIES
from ganbench.store.run_record import RunStatus

from .factory import make, rows, seeds


def test_a_failed_run_counts_as_the_worst_value_on_the_board_in_the_headline_alone() -> None:
    failed = [make("tiny", at, status=RunStatus.DIVERGED, reason="loss is NaN") for at in (2, 3)]
    runs = [make("tiny", at, fid, cas=0.9) for at, fid in enumerate((10.0, 30.0))]
    row, _, _ = rows([*runs, *failed, make("bad", 0, 300.0), make("noise", 0, 500.0, role="floor")])
    assert row.headline
    assert (row.runs, row.failed, row.headline.n, row.metrics["cas"].n) == (2, 2, 4, 2)
    assert row.headline.mean == pytest.approx(math.prod((10, 30, 500, 500)) ** (1 / 4))
    assert row.metrics["cas"].mean == pytest.approx(0.9)
    counted = "each of its 2 failed runs counts as FID 500, the worst on this board"
    assert row.note == f"{counted}; diverged: loss is NaN (2 of 4 runs)"


def test_the_worst_value_is_a_models_where_no_floor_is_worse() -> None:
    row, *_ = rows([make("tiny", 0, 10.0), make("tiny", 1, status=RunStatus.OOM), make("bad", 0, 1234.5)])
    assert row.headline and row.headline.mean == pytest.approx(math.sqrt(10 * 1234.5))
    assert row.flags == ("its failed run counts as FID 1234, the worst on this board",)


def test_costs_are_means_over_ok_runs() -> None:
    (row,) = rows([*seeds("tiny", (10.0, 30.0)), make("tiny", 2, status=RunStatus.DIVERGED)])
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
    assert row.headline and row.headline.n == 2, "it did not fail, and is not counted as the worst"


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
