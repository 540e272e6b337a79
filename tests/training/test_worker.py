"""Trials as processes: the same request gives the same record, however many run at once, and on their own too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ganbench.store.run_record import read_record
from ganbench.store.run_spec import Job, RuntimeConfig, Trial

from ..conftest import SMOKE, Answer, Smoke

Command = Callable[..., Answer]


def test_the_same_request_gives_the_same_record_whatever_jobs_says(
    smoke: Smoke, command: Command, tmp_path: Path
) -> None:
    answer = command(
        "run", "--plugins", "vae,dcgan", "--no-baselines", *SMOKE, "--jobs", 1,
        "--out", tmp_path / "runs", "--boards", tmp_path / "boards",
    )  # fmt: skip
    assert answer.status == 0
    records = list(map(read_record, (tmp_path / "runs").glob("*/record.json")))
    assert {record.model for record in records} == {"dcgan", "vae"}
    for record in records:
        first = read_record(smoke.runs / record.key / "record.json")
        assert record.metrics == first.metrics
        for mine, theirs in zip(record.curve, first.curve, strict=True):
            assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}
        one, other = (folder / record.key / "samples.png" for folder in (smoke.runs, tmp_path / "runs"))
        assert one.read_bytes() == other.read_bytes()


def job(smoke: Smoke, folder: Path) -> Job:
    """Return the job of the smoke run's vae, to be done in another folder."""
    (source,) = (path.parent for path in smoke.runs.glob("*/record.json") if read_record(path).model == "vae")
    trial = Trial.model_validate_json((source / "trial.json").read_bytes())
    setting = RuntimeConfig.model_validate_json((source / "setting.json").read_bytes())
    return Job(trial=trial, setting=setting, folder=folder)


def test_a_worker_whose_command_is_gone_leaves_no_failure(smoke: Smoke, tmp_path: Path) -> None:
    # The command was killed: nobody reads what the worker says. Its next run must train the trial, not find it failed.
    given = job(smoke, tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "ganbench.training.worker"]
    subprocess.run(words, input=given.model_dump_json().encode(), stdout=writer, timeout=120)
    os.close(writer)
    assert not (tmp_path / "record.json").exists()


def test_content_that_changed_since_the_run_began_is_not_recorded_as_what_was_asked_for(
    smoke: Smoke, tmp_path: Path
) -> None:
    given = job(smoke, tmp_path)
    track = given.trial.track.model_copy(update={"dataset_sha256": "0" * 64})
    given = given.model_copy(update={"trial": given.trial.model_copy(update={"track": track})})
    words = [sys.executable, "-m", "ganbench.training.worker"]
    subprocess.run(words, input=given.model_dump_json().encode(), capture_output=True, timeout=120)
    record = read_record(tmp_path / "record.json")
    assert record.status == "failed"
    assert "digits or lenet-mnist has changed since the run began" in record.reason
