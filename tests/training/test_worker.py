"""Training workers: the same request leaves the same samples however many work at once, and on their own too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganbench.errors import EngineGone
from ganbench.store.run_record import RunStatus, read_run
from ganbench.store.run_spec import RuntimeConfig, TrainJob
from ganbench.training import worker
from ganbench.training.data_file import write_training_data

from ..conftest import SMOKE, Answer, Smoke, at, stored

Command = Callable[..., Answer]


def test_the_same_request_gives_the_same_samples_whatever_jobs_says(
    smoke: Smoke, command: Command, tmp_path: Path
) -> None:
    answer = command("run", "--plugins", "vae,dcgan", "--no-baselines", *SMOKE, "--jobs", 1, *at(tmp_path))
    assert answer.status == 0
    found, first = stored(tmp_path / "runs"), stored(smoke.runs)
    assert found.keys() == {"dcgan", "vae"}
    for label, each in found.items():
        mine, theirs = each.record, first[label].record
        assert mine is not None and theirs is not None
        assert mine.samples == theirs.samples
        assert each.scores[0].metrics == first[label].scores[0].metrics
        for one, other in zip(mine.curve, theirs.curve, strict=True):
            assert {**one.model_dump(), "seconds": 0} == {**other.model_dump(), "seconds": 0}
        assert (each.folder / "samples.png").read_bytes() == (first[label].folder / "samples.png").read_bytes()


@pytest.fixture
def job(smoke: Smoke, tmp_path: Path, digits: Any) -> TrainJob:
    """The job of the smoke run's vae, to be done in another folder."""
    record = stored(smoke.runs)["vae"].record
    assert record is not None
    return TrainJob(
        spec=record.spec, runtime=RuntimeConfig(device="cpu", threads=1), folder=tmp_path / "run",
        data_file=write_training_data(digits), samples=200, curve_points=3, curve_samples=100,
    )  # fmt: skip


def forked(job: TrainJob, emit: Callable[..., None]) -> int:
    """Return a worker's exit status, from a process of its own: it changes handlers, threads and random states."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(worker.work(job.model_dump(mode="json"), emit, time.perf_counter()))
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def quiet(**event: Any) -> None:
    """Hear nothing."""


def test_a_worker_leaves_the_run_that_was_asked_for(smoke: Smoke, job: TrainJob) -> None:
    assert forked(job, quiet) == 0
    record, first = read_run(job.folder / "run.json"), stored(smoke.runs)["vae"].record
    assert first is not None
    assert (record.status, record.samples) == (RunStatus.OK, first.samples)
    assert not (job.folder / "scores").exists()


def test_a_worker_whose_command_is_gone_leaves_no_failure(job: TrainJob) -> None:
    # The command was killed: nobody hears what the worker says. The next one must train the run, not find it failed.
    def gone(**event: Any) -> None:
        raise EngineGone

    assert forked(job, gone) == 1
    assert not (job.folder / "run.json").exists()


def test_training_images_that_were_damaged_are_not_trained_on(job: TrainJob, tmp_path: Path) -> None:
    raw = bytearray(job.data_file.read_bytes())
    raw[-1] ^= 1
    damaged = tmp_path / "data.safetensors"
    damaged.write_bytes(bytes(raw))
    assert forked(job.model_copy(update={"data_file": damaged}), quiet) == 0
    record = read_run(job.folder / "run.json")
    assert record.status == RunStatus.FAILED
    assert "damaged (its sha256 is not" in record.reason


def test_a_record_that_is_there_is_not_replaced_unasked(smoke: Smoke, job: TrainJob) -> None:
    record = stored(smoke.runs)["vae"].record
    assert record is not None
    record.write(job.folder / "run.json")
    before = (job.folder / "run.json").read_bytes()
    assert forked(job, quiet) == 0
    assert (job.folder / "run.json").read_bytes() == before
    assert not (job.folder / "samples").exists()
