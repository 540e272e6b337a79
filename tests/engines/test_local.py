"""The local executor: new Pythons where nothing can be forked, and patience that is measured by the budget."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ganbench.engines import local
from ganbench.engines.base import Event
from ganbench.engines.local import LocalEngine
from ganbench.engines.watchdog import LOG_BYTES, LOG_KEPT, Watch
from ganbench.store.run_record import Record, read_record
from ganbench.store.run_spec import Job, RuntimeConfig, Trial

from ..conftest import Smoke


@pytest.fixture
def job(smoke: Smoke, tmp_path: Path) -> Job:
    (source,) = (path.parent for path in smoke.runs.glob("*/record.json") if read_record(path).model == "vae")
    trial = Trial.model_validate_json((source / "trial.json").read_bytes())
    setting = RuntimeConfig.model_validate_json((source / "setting.json").read_bytes())
    return Job(trial=trial, setting=setting, folder=tmp_path / trial.key)


def record_of(events: list[Event]) -> Record:
    (record,) = (event.record for event in events if event.record is not None)
    return record


def test_a_new_python_and_deterministic_algorithms_give_the_same_record(
    smoke: Smoke, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a GPU: workers are started, not forked.
    monkeypatch.setattr(local, "_spawns", lambda setting: True)
    setting = job.setting.model_copy(update={"deterministic": True})
    record = record_of(list(LocalEngine(1).run([job.model_copy(update={"setting": setting})])))
    assert (record.status, record.reason) == ("ok", "")
    assert record.provenance["deterministic"] is True
    assert record.metrics == read_record(smoke.runs / record.key / "record.json").metrics


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(local.starter, "start")
    assert list(LocalEngine(2).run([])) == []


def watch(job: Job, budget: str) -> Watch:
    protocol = job.trial.track.protocol.with_budget(budget)
    track = job.trial.track.model_copy(update={"protocol": protocol})
    return Watch(job.model_copy(update={"trial": job.trial.model_copy(update={"track": track})}))


def test_silence_is_borne_for_a_multiple_of_the_budget(job: Job) -> None:
    timed, counted = watch(job, "20s"), watch(job, "100kimg")
    assert timed.patience(600.0) == 200.0
    assert watch(job, "2s").patience(600.0) == 60.0  # at least a minute
    assert watch(job, "10m").patience(600.0) == 600.0
    assert timed.patience(5.0) == 5.0
    assert counted.patience(600.0) == 600.0  # its pace is not known yet
    counted.hear({"share": 0.5, "images": 50_000, "seconds": 6.0})
    assert counted.patience(600.0) == 120.0
    counted.hear({"phase": "scoring", "share": 1.0})
    assert counted.patience(600.0) == 600.0


def test_news_are_shown_and_points_kept(job: Job) -> None:
    trial = watch(job, "20s")
    assert trial.hear({"point": {"fid": 3.0}}) is None
    assert trial.curve == [{"fid": 3.0}]
    assert trial.hear({}) is None
    event = trial.hear({"share": 0.25, "images": 640, "seconds": 2.0, "losses": {"d": 1.0}, "more": 1})
    assert event is not None
    assert (event.phase, event.share, event.images, event.losses) == ("training", 0.25, 640, {"d": 1.0})


def test_a_log_is_cut_to_its_end_while_it_is_written(job: Job) -> None:
    trial = watch(job, "20s")
    trial.cut_log()  # there is none yet
    job.folder.mkdir()
    path = job.folder / "log.txt"
    with open(path, "ab", buffering=0) as log:
        log.write(b"first\n" + b"x" * LOG_BYTES + b"last\n")
        trial.cut_log()
        log.write(b"after\n")
    text = path.read_bytes()
    assert len(text) < LOG_KEPT + 100
    assert b"bytes left out]\n" in text[:60]
    assert text.endswith(b"last\nafter\n")
    before = path.read_bytes()
    trial.cut_log()
    assert path.read_bytes() == before


def test_a_trial_is_not_silent_before_its_process_is_there(job: Job) -> None:
    shift, told = local._Shift.__new__(local._Shift), list[dict[str, object]]()
    shift._executor = LocalEngine(1, timeout=5.0)
    shift._tell = lambda **command: told.append(command)  # type: ignore[method-assign]
    trial, later = watch(job, "20s"), 1e9
    shift._end_silent(trial, later)  # the starter may take its time
    assert (trial.ending, told) == ("", [])
    trial.begin(4711)
    shift._end_silent(trial, trial.heard + 4.0)
    assert not trial.ending
    shift._end_silent(trial, later)
    assert trial.ending == "nothing came of it for 5 s, while starting: ended"
    shift._end_silent(trial, later + local.GRACE / 2)
    shift._end_silent(trial, later + 2 * local.GRACE)
    assert [command["number"] for command in told] == [signal.SIGTERM, signal.SIGKILL]
