"""The SLURM engine against a controller and two nodes of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganbench.engine import Ended, EngineRequest, Event, Task
from ganbench.engines import slurm_job, slurm_queue
from ganbench.engines.node import as_json
from ganbench.engines.slurm_engine import FOLDER, SlurmEngine
from ganbench.engines.slurm_engine import make as make_engine
from ganbench.errors import RequestError
from ganbench.experiment.session import Session
from ganbench.util.exit_codes import STOPPED
from ganbench.util.resources import Resources

from ..conftest import SMOKE, Answer, Smoke, at
from .same_records import check_same_runs
from .slurm_cluster import slurm, why_not
from .tasks import counting, ends, is_running, task, until

ROOT = Path(__file__).parents[2]
needs_slurm = pytest.mark.skipif(bool(why_not()), reason=why_not() or "SLURM is here")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster of two nodes with two cores each; partition `high` preempts `low`."""
    with pytest.MonkeyPatch.context() as patch, slurm(tmp_path_factory.mktemp("slurm") / "slurm") as conf:
        patch.setenv("SLURM_CONF", str(conf))
        yield conf


@pytest.fixture
def make(cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SlurmEngine]:
    """Return an engine on the cluster, with a store in the test's folder."""
    from ganbench.engines import slurm_engine

    monkeypatch.setattr(slurm_engine, "QUEUE_EVERY", 1.0)
    monkeypatch.setattr(slurm_engine, "GONE", 2.0)

    def made(jobs: int | None = None, **options: str) -> SlurmEngine:
        store = tmp_path / "store"
        store.mkdir(exist_ok=True)
        return make_engine(EngineRequest(jobs, 1, store, options=options))

    return made


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text().splitlines())


@needs_slurm
def test_tasks_end_as_they_would_here_so_many_at_a_time(make: Callable[..., SlurmEngine], tmp_path: Path) -> None:
    tasks = [counting(tmp_path, f"a{n}", 20) for n in range(3)]
    tasks += [task(tmp_path, "raises"), task(tmp_path, "kills_itself"), task(tmp_path, "answer", more=[1])]
    at_work, most, found, phases = set(), 0, {}, []
    with make(2) as engine:
        for each in tasks:
            engine.submit(each)
        for happened in engine.events():
            name = happened.task.name
            if isinstance(happened, Ended):
                found[name] = happened
                at_work.discard(name)
            elif happened.phase == "training":
                at_work.add(name)
            if name == "answer" and not isinstance(happened, Ended):
                phases.append(happened.phase)
            most = max(most, len(at_work))
    assert {name: end.code for name, end in found.items()} == {
        "a0": 0, "a1": 0, "a2": 0, "raises": 1, "kills_itself": -9, "answer": 0,
    }  # fmt: skip
    assert phases[0].startswith("in SLURM's queue") and phases[-3:] == ["starting", "training", "done"]
    assert found["answer"].last.data == {"more": [1]}
    assert found["raises"].log.endswith("ValueError: a fault of the task's own")
    assert most == 2
    assert len(list((tmp_path / "store" / FOLDER).iterdir())) == 1  # one array


@needs_slurm
def test_preempted_and_warned_jobs_are_queued_again_and_cancelled_ones_are_lost(
    make: Callable[..., SlurmEngine], tmp_path: Path
) -> None:
    acted, found = set(), {}
    with make(partition="low") as engine:
        for name in ("preempted", "warned", "cancelled"):
            each = counting(tmp_path, name, 150, resources=Resources(2 if name == "preempted" else 1))
            engine.submit(replace(each, payload=each.payload | {"lingers": True}))
        for happened in engine.events():
            name = happened.task.name
            if isinstance(happened, Ended):
                found[name] = happened
            elif happened.share > 0.1 and name not in acted:
                acted.add(name)
                job = next(job for job in engine._jobs if job.task.name == name)
                if name == "preempted":
                    node = subprocess.check_output(["squeue", "-h", "-j", job.id, "-o", "%N"], text=True).strip()
                    words = ["sbatch", "-p", "high", "-w", node, "-c", "2", "--output=/dev/null", "--wrap", "sleep 1"]
                    subprocess.run(words, check=True, capture_output=True)
                elif name == "warned":  # as SLURM does before the time limit
                    subprocess.run(["scancel", "--batch", "--signal=TERM", job.id], check=True)
                else:
                    subprocess.run(["scancel", job.id], check=True)
    assert [(found[name].code, found[name].lost) for name in ("preempted", "warned")] == [(0, "")] * 2
    for name in ("preempted", "warned"):
        assert starts(tmp_path / "store" / name) == 2
        assert (tmp_path / "store" / name / "in_order").exists()
        assert found[name].last.data["began"] > 0
    assert found["cancelled"].lost.endswith(" was cancelled")
    assert starts(tmp_path / "store" / "cancelled") == 1


@needs_slurm
def test_a_command_that_ends_leaves_its_jobs_and_the_next_finds_them(
    make: Callable[..., SlurmEngine], tmp_path: Path
) -> None:
    folder = tmp_path / "store" / "a"
    with make() as engine:
        engine.submit(counting(tmp_path, "a", 120))
        engine.submit(counting(tmp_path, "b", 40))
        next(event for event in engine.events() if not isinstance(event, Ended) and event.phase == "training")
        said = engine.left
    assert "in SLURM's queue and go on" in said and "`scancel " in said
    until(lambda: (folder / "starts").exists())
    worker = int((folder / "starts").read_text().split()[0])
    assert is_running(worker)
    until(lambda: (tmp_path / "store" / "b" / "run.json").exists())
    found = {}
    with make() as engine:
        for name, count in (("a", 120), ("b", 40)):
            engine.submit(counting(tmp_path, name, count))
        found = {end.task.name: end.code for end in engine.events() if isinstance(end, Ended)}
        assert engine.left == ""
    assert found == {"a": 0, "b": 0}
    assert starts(folder) == 1 and starts(tmp_path / "store" / "b") == 1
    assert not list((tmp_path / "store" / FOLDER).glob("*/[0-9].json"))  # both ends have been taken in


@needs_slurm
def test_a_refused_submission_is_one_line(make: Callable[..., SlurmEngine], tmp_path: Path) -> None:
    wrong = {
        "partition": (
            "none",
            "sbatch: invalid partition specified: none; Batch job submission failed: Invalid partition",
        ),
        "sbatch": ("--no-such", "sbatch: unrecognized option '--no-such'"),
    }
    for option, (value, said) in wrong.items():
        with pytest.raises(RequestError) as error, make(**{option: value}) as engine:
            engine.submit(task(tmp_path, "answer"))
            list(engine.events())
        assert str(error.value).startswith(f"--engine slurm: {said}")
        assert not list((tmp_path / "store" / FOLDER).iterdir())
    with pytest.raises(RequestError, match="0.25 GPUs: SLURM gives out whole ones"), make() as engine:
        engine.submit(Task("a", "b:c", {}, tmp_path / "log", resources=Resources(1, 0.25)))
        list(engine.events())
    with pytest.raises(RequestError, match="node .*: does not see /no/where"), make() as engine:
        engine.submit(Task("a", "b:c", {}, tmp_path / "log", reads=(Path("/no/where"),)))
        list(engine.events())


@pytest.mark.parametrize("state", ["RUNNING", "COMPLETING"])
def test_a_worker_that_a_preemption_ends_first_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """SLURM signals all processes of a job; here the worker's end is known before this process has its signal."""
    calls = []

    def perform(order: dict[str, Any], asked: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        yield {"event": {"phase": "training"}}
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        yield {"ended": {"code": STOPPED}}

    def run(words: list[str], **other: Any) -> subprocess.CompletedProcess[str]:
        calls.append(words)
        return subprocess.CompletedProcess(words, 0, state if words[0] == "squeue" else "")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(slurm_job, "perform", perform)
    monkeypatch.setattr(slurm_job.subprocess, "run", run)
    monkeypatch.setattr(slurm_job.sys, "argv", ["slurm_job", str(tmp_path)])
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    (tmp_path / "3.json").write_text("{}")
    try:
        slurm_job.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "ended" not in (tmp_path / "3.news").read_text()
    assert (["scontrol", "requeue", "12_3"] in calls) == (state == "RUNNING")


def test_a_full_queue_is_said_as_slurm_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sbatch tries again for minutes: what it said until then is what is told."""
    sbatch = tmp_path / "sbatch"
    full = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"
    sbatch.write_text(f"#!/bin/sh\necho '{full}' >&2; echo '{full}' >&2\nexec sleep 60\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(slurm_queue, "ANSWER", 1.0)
    with pytest.raises(RequestError) as error:
        slurm_queue.submit(tmp_path, 1, None, Resources(1), {})
    said = "Slurm temporarily unable to accept job, sleeping and retrying; no answer for 1 s"
    assert str(error.value) == f"--engine slurm: sbatch: {said}"


def made_up(store: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replace SLURM by one whose jobs end with status 1 at once; return the folders of arrays as they are submitted."""
    arrays: list[Path] = []

    def submit(folder: Path, *other: object, **more: object) -> str:
        arrays.append(folder)
        end = Ended(Task("a", "b:c", {}, folder), 1, Event(Task("a", "b:c", {}, folder)), log="a fault")
        (folder / "0.news").write_text('{"event": {"pha\n' + json.dumps({"ended": as_json(end)}) + "\n")
        return f"{len(arrays)}"

    store.mkdir()
    monkeypatch.setattr(slurm_queue, "submit", submit)
    monkeypatch.setattr(slurm_queue, "queue", dict)
    monkeypatch.setattr(slurm_queue, "largest_array", lambda: 20)
    return arrays


def test_no_end_counts_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring that failed is done again by the next command, where it is named as before; half lines are left out."""
    arrays = made_up(tmp_path / "store", monkeypatch)
    for _ in range(2):
        assert ends(make_engine(EngineRequest(None, 1, tmp_path / "store")), [task(tmp_path, "score-0")])
    assert len(arrays) == 2
    with make_engine(EngineRequest(None, 1, tmp_path / "store")) as engine:
        engine.submit(task(tmp_path, "score-0"))
        next(event for event in engine.events() if isinstance(event, Ended))  # and is killed before it takes this in
    assert ends(make_engine(EngineRequest(None, 1, tmp_path / "store")), [task(tmp_path, "score-0")])
    assert len(arrays) == 3
    for folder in arrays:
        os.utime(folder, (0, 0))
    with make_engine(EngineRequest(None, 1, tmp_path / "store")):
        assert not any(folder.exists() for folder in arrays)


def test_where_slurm_is_silent_nothing_is_submitted_or_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squeue, array = tmp_path / "squeue", tmp_path / "store" / FOLDER / "a"
    squeue.write_text("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm controller' >&2\nexit 1\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    array.mkdir(parents=True)
    (array / "array.json").write_text('{"job": "7", "tasks": ["a"]}')
    os.utime(array, (0, 0))
    with pytest.raises(RequestError, match="--engine slurm: squeue: slurm_load_jobs error: Unable to contact"):
        make_engine(EngineRequest(None, 1, tmp_path / "store")).__enter__()
    assert array.exists()


@needs_slurm
def test_more_tasks_than_an_array_may_have(make: Callable[..., SlurmEngine], tmp_path: Path) -> None:
    assert slurm_queue.largest_array() == 20
    with make() as engine:
        for number in range(22):
            engine.submit(Task(f"{number}", "os:getcwd", {}, tmp_path / "log", reads=(Path("/no/where"),)))
        with pytest.raises(RequestError):
            list(engine.events())
        arrays = {job.array for job in engine._jobs}
    assert len(arrays) == 2
    subprocess.run(["scancel", *arrays], check=True)


@needs_slurm
def test_runs_are_those_of_this_machine(
    cluster: Path, smoke: Smoke, command: Callable[..., Answer], tmp_path: Path
) -> None:
    answer = command("run", "--plugins", "dcgan,vae", *SMOKE, "--engine", "slurm", "--partition", "low", *at(tmp_path))
    assert (answer.status, answer.err) == (0, "")
    assert "as many at a time as there is room for (slurm)" in answer.out
    check_same_runs(smoke.runs, tmp_path / "runs")
    assert command("runs", "--runs", tmp_path / "runs").out.startswith("5 of 5 runs")


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (None, 90),
        ("UNLIMITED", 90),
        ("1", 15),
        ("02:00", 30),
        ("1:00:00", 90),
        ("1-0", 90),
        ("0-00:01", 15),
        ("0:20", 5),
    ],
)
def test_jobs_are_warned_before_their_time_limit(limit: str | None, seconds: int) -> None:
    assert slurm_queue.lead(limit) == seconds


def test_a_time_limit_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match="--time 'soon': write minutes"):
        slurm_queue.lead("soon")


def test_a_command_that_is_refused_says_what_stays_in_the_queue(
    command: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(session: Session, on_news: object) -> None:
        session.left.append("1 job stays in SLURM's queue")
        raise RequestError("--engine slurm: sbatch: Invalid account")

    monkeypatch.setattr(Session, "run", run)
    answer = command("run", "--plugins", "vae", *SMOKE, "--quiet", *at(tmp_path))
    assert answer.status == 2
    said = ["ganbench: 1 job stays in SLURM's queue", "ganbench: --engine slurm: sbatch: Invalid account"]
    assert answer.err.splitlines() == said
