"""Signals, kills, full disks, other commands: what the user sees, and that the same command goes on where it stood."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganbench.store.locks import in_work
from ganbench.store.run_record import RunStatus

from .cases import COMMANDS, GOES_ON, SAME
from .commands import PATIENCE, Command, Scenario, interrupted, is_same, record_of, run
from .killed_at import POINTS
from .models import __file__ as SOURCE


def asked_to_end(folder: Path, undisturbed: Path) -> None:
    """Three times, each time at another point of training, by another signal."""
    for at, (fault, number) in enumerate(
        {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}.items()
    ):
        case, ended = COMMANDS[fault], interrupted(folder, number, 200 * (at + 1))
        assert ended.status == case.exit
        assert case.says in ended.err
        assert ended.err.count("\n") == 1
        assert not list(folder.glob("runs/*/run.json"))
        assert case.left == GOES_ON
    assert run(folder).status == 0
    assert is_same(folder, undisturbed)
    resumed = record_of(folder).resumed
    assert len(resumed) == 3
    assert 200 <= resumed[0] < resumed[1] < resumed[2] < record_of(folder).images


def wait_until_gone(command: Command, folder: Path) -> None:
    """Fail where somebody trains on.

    Who was importing torch when the command was killed starts a worker for a moment, until that sees it too.
    """
    killed = free = time.monotonic()
    while command.processes():
        now = time.monotonic()
        if not any(map(in_work, folder.glob("runs/*"))):
            free = now
        assert now - free < 5
        assert now - killed < PATIENCE
        time.sleep(0.02)


def killed_at_every_point(folder: Path, undisturbed: Path) -> None:
    """One run after the other in one folder, each killed a little later; the last is left alone."""
    case = COMMANDS["SIGKILL"]
    for point in POINTS:
        done, ended = list(folder.glob("runs/*/run.json")), POINTS.index("train-ended")
        if point == "train-ended" and done:  # its worker was quicker than its end
            continue
        command = Command(folder, killed=point)
        assert command.end().status == case.exit, (point, command.end())
        wait_until_gone(command, folder)
        if point != "train:sampling:1.0":
            assert bool(list(folder.glob("runs/*/run.json"))) == (POINTS.index(point) >= ended), point
        assert not list(folder.glob("boards/*.md")), point
    ended = run(folder)
    assert (ended.status, ended.err) == (0, "")
    assert "nothing to train" in ended.out
    assert is_same(folder, undisturbed)
    assert record_of(folder).resumed
    assert case.left == GOES_ON


def worker_killed(folder: Path, undisturbed: Path) -> None:
    case, command = COMMANDS["worker killed"], Command(folder)
    command.wait_for_checkpoints()
    os.kill(command.worker(), signal.SIGKILL)
    ended, record = command.end(), record_of(folder)
    assert (ended.status, record.status) == (case.exit, RunStatus.KILLED)
    assert case.says in ended.out
    assert run(folder, "--retry", "killed").status == 0
    assert is_same(folder, undisturbed)
    assert len(record_of(folder).resumed) == 1
    assert len(list(folder.glob("runs/*/run-before-1.json"))) == 1
    assert case.left == SAME


def fork_server_killed(folder: Path, undisturbed: Path) -> None:
    case, command = COMMANDS["fork server killed"], Command(folder)
    command.wait_for_checkpoints()
    os.kill(command.fork_server(), signal.SIGKILL)
    assert command.end().status == case.exit
    assert is_same(folder, undisturbed)
    assert len(record_of(folder).resumed) == 1
    assert case.left == SAME


def two_at_once(folder: Path, undisturbed: Path) -> None:
    case, first = COMMANDS["two commands"], Command(folder)
    first.wait_for_checkpoints()
    os.kill(worker := first.worker(), signal.SIGSTOP)  # it cannot be done before the second comes
    second = Command(folder)
    second.wait_for(lambda: case.says in second.out.read_text())
    os.kill(worker, signal.SIGCONT)
    ends = [first.end(), second.end()]
    assert [(ended.status, ended.err) for ended in ends] == [(case.exit, "")] * 2
    assert case.says not in ends[0].out
    assert is_same(folder, undisturbed)
    assert record_of(folder).resumed == []
    assert not list(folder.glob("runs/*/run-before-*"))
    assert case.left.startswith(SAME)


YESTERDAY = """
import datetime, time
now = time.time
time.time = lambda: now() - 86400
class Back(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return cls.fromtimestamp(time.time(), tz)
datetime.datetime = Back
"""


def clock_set_back(folder: Path, undisturbed: Path) -> None:
    case = COMMANDS["clock"]
    (folder / "sitecustomize.py").write_text(YESTERDAY)
    ended = run(folder, before=f"export PYTHONPATH={folder}")
    (folder / "sitecustomize.py").unlink()
    assert (ended.status, ended.err) == (case.exit, "")
    assert is_same(folder, undisturbed)
    half_a_day_ago = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() - 43200))
    assert str(record_of(folder).provenance["started"]) < half_a_day_ago
    again = run(folder)
    assert (again.status, again.err) == (0, "")
    assert case.says in again.out
    assert case.left == SAME


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a file system of a few megabytes."""
    disk = folder / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(disk)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def full_disk(folder: Path, undisturbed: Path) -> None:
    case = COMMANDS["disk"]
    with small_disk(folder) as disk:
        (folder / "runs").symlink_to(disk)
        command, filler = Command(folder), disk / "filler"
        command.wait_for_checkpoints()
        with open(filler, "wb", buffering=0) as file:
            while command.process.poll() is None:  # whatever becomes free is taken
                with contextlib.suppress(OSError):
                    file.write(b"x" * 4096)
                time.sleep(0.0001)
        ended, record = command.end(), record_of(folder)
        assert (ended.status, record.status) == (case.exit, RunStatus.FAILED)
        assert case.says in ended.out
        assert ended.err == ""
        filler.unlink()
        assert run(folder, "--retry", "failed").status == 0
        assert is_same(folder, undisturbed)
        assert len(record_of(folder).resumed) == 1


def file_that_may_not_grow(folder: Path, undisturbed: Path) -> None:
    """Where no disk can be mounted: a limit on the size of files, as a quota is."""
    with contextlib.suppress(pytest.skip.Exception), small_disk(folder):
        return
    ended = run(folder, before="ulimit -f 400")
    assert ended.status == 1
    assert "failed: File too large while writing" in ended.out
    assert record_of(folder).status == RunStatus.FAILED


def kernel_kills(folder: Path, undisturbed: Path) -> None:
    case, group = COMMANDS["kernel"], Path("/sys/fs/cgroup/memory", f"ganbench-{os.getpid()}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(3 * 2**30))
    except OSError as error:
        pytest.skip(f"no memory control group can be made here: {error.strerror}")
    try:
        shutil.copy(SOURCE, folder / "models.py")
        ended = run(folder, "--plugins", "./models.py:Eats", before=f"echo $$ > {group / 'cgroup.procs'}")
        assert (ended.status, record_of(folder).status) == (case.exit, RunStatus.OOM)
        assert case.says in ended.out
        assert case.left == "record: oom"
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


@pytest.mark.parametrize(
    "scenario",
    [
        killed_at_every_point, asked_to_end, worker_killed, fork_server_killed, two_at_once,
        clock_set_back, full_disk, file_that_may_not_grow, kernel_kills,
    ],
)  # fmt: skip
def test_a_fault_is_survived(scenario: Scenario, tmp_path: Path, undisturbed: Path) -> None:
    scenario(tmp_path, undisturbed)
