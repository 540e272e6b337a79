"""The local engine: workers that answer, fail, are killed, fall silent; forked ones and new Pythons."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from ganbench.engine import WAITING, Ended, Event
from ganbench.engines import forkserver
from ganbench.engines.local import LocalEngine
from ganbench.store.locks import locked

from .tasks import ends, is_running, task


@pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])
def test_a_worker_answers_in_order_and_its_prints_go_to_its_log(tmp_path: Path, spawn: bool) -> None:
    engine = LocalEngine(1, threads=3, deterministic=True, spawn=spawn, preload=("mailbox",))
    with engine:
        engine.submit(task(tmp_path, "answer", more=[1, "two"], status=7))
        happened = list(engine.events())
    *events, end = happened
    assert isinstance(end, Ended)
    assert all(isinstance(event, Event) for event in events)
    assert [event.phase for event in events if isinstance(event, Event)] == ["starting", "training", "done"]
    first = events[1]
    assert isinstance(first, Event)
    assert (first.share, first.images, first.losses, first.data) == (0.25, 640, {"d": 1.0}, {"more": [1, "two"]})
    assert (end.code, end.stalled, end.out_of_memory) == (7, "", False)
    assert end.last.data == {"more": [1, "two"]}
    log = (tmp_path / "answer.txt").read_text()
    assert "threads 3, :4096:8\n" in log
    assert f"torch is here: False; json was here: {not spawn}\n" in log  # what was preloaded, where it can be forked
    assert end.log.endswith(log.strip())


def test_a_worker_cannot_speak_for_the_fork_server(tmp_path: Path) -> None:
    found = ends(LocalEngine(1), [task(tmp_path, "lies")])
    assert (found["lies"].code, found["lies"].last.phase, found["lies"].last.data) == (3, "training", {})


@pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])
def test_tasks_at_work_are_spread_over_the_places(tmp_path: Path, spawn: bool) -> None:
    engine = LocalEngine(4, spawn=spawn, places=[{"PLACE": "a"}, {"PLACE": "b"}])
    tasks = [task(tmp_path, "tells_its_place", f"{n}", folder=str(tmp_path), together=4) for n in range(4)]
    found = ends(engine, tasks)
    assert sorted(end.last.data["place"] for end in found.values()) == ["a", "a", "b", "b"]


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(forkserver, "start")
    assert ends(LocalEngine(2), []) == {}


def test_each_end_is_told_and_disturbs_no_other(tmp_path: Path) -> None:
    found = ends(LocalEngine(2), [
        task(tmp_path, "raises"), task(tmp_path, "kills_itself"), task(tmp_path, "missing"), task(tmp_path, "answer"),
    ])  # fmt: skip
    assert {name: end.code for name, end in found.items()} == {
        "raises": 1, "kills_itself": -signal.SIGKILL, "missing": 1, "answer": 0,
    }  # fmt: skip
    assert "ValueError: a fault of the task's own" in found["raises"].log
    assert "has no attribute 'missing'" in found["missing"].log
    assert found["answer"].log == ""


def test_a_first_task_comes_before_those_that_wait(tmp_path: Path) -> None:
    with LocalEngine(1) as engine:
        for name in ("one", "two"):
            engine.submit(task(tmp_path, "answer", name))
        engine.submit(task(tmp_path, "answer", "urgent"), first=True)
        order = [end.task.name for end in engine.events() if isinstance(end, Ended)]
    assert order == ["urgent", "one", "two"]


@pytest.mark.parametrize(("polite", "code"), [(True, 9), (False, -signal.SIGKILL)])
def test_a_silent_worker_is_asked_and_then_killed(tmp_path: Path, polite: bool, code: int) -> None:
    engine = LocalEngine(1, stall_timeout=0.5, grace=0.3, tick=0.05)
    (end,) = ends(engine, [task(tmp_path, "sleeps", polite=polite, pid=str(tmp_path / "pid"))]).values()
    assert end.code == code
    assert end.stalled == "stalled: no progress for 0 s during training at 50 % of its budget"


def test_a_phase_that_takes_too_long_is_ended_though_it_shows_progress(tmp_path: Path) -> None:
    (end,) = ends(LocalEngine(1, grace=0.3, tick=0.05), [task(tmp_path, "limited")]).values()
    assert end.code == -signal.SIGTERM
    assert end.stalled == "curve took longer than its limit of 0 s"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_leaving_ends_what_still_runs(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with LocalEngine(1, grace=0.3, tick=0.05) as engine:
        engine.submit(task(tmp_path, "sleeps", pid=str(pid)))
        for event in engine.events():
            if isinstance(event, Event) and event.share == 0.5:
                break
        deadline = time.monotonic() + 10
        while not pid.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not is_running(int(pid.read_text()))


def test_a_killed_fork_server_is_started_again_and_its_tasks_too(tmp_path: Path) -> None:
    starts = 0
    with LocalEngine(1) as engine:
        engine.submit(task(tmp_path, "answer"))
        for happened in engine.events():
            if isinstance(happened, Event) and happened.phase == "starting":
                starts += 1
                if starts == 1:
                    assert engine._server is not None
                    os.kill(engine._server.pid, signal.SIGKILL)
            elif isinstance(happened, Ended):
                assert happened.code == 0
    assert starts == 2


def test_a_folder_that_is_in_work_elsewhere_waits_until_it_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with contextlib.ExitStack() as elsewhere, LocalEngine(1, tick=0.05) as engine:
        assert elsewhere.enter_context(locked(folder))
        engine.submit(task(tmp_path, "takes_lock", lock=folder, folder=str(folder)))
        phases = []
        for happened in engine.events():
            if isinstance(happened, Ended):
                assert happened.code == 0
            else:
                phases.append(happened.phase)
                if happened.phase == WAITING:
                    elsewhere.close()
    assert phases == ["starting", WAITING, "starting"]
