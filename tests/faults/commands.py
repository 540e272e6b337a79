"""The command under test as a process of its own, and what it left compared with what an undisturbed one leaves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ganbench.store.checkpoint_header import Damaged, read_header
from ganbench.store.run_record import Record, read_record

from .cases import MODELS
from .models import __file__ as SOURCE

WORDS = (
    "--plugins", "dcgan", "--no-baselines", "--seeds", "1", "--track", "digits-smoke", "--budget", "60steps",
    "--checkpoint-every", "0",
)  # fmt: skip
"""A trial of a few seconds that has everything: two optimisers, batch normalisation, an average, counters."""
PATIENCE = 120


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


class Command:
    """A running ``ganbench run`` in a folder; the shell's `before` comes first.

    `mark` is in the environment of every process that comes of it.
    """

    def __init__(self, folder: Path, *words: str, environment: dict[str, str] | None = None, before: str = "") -> None:
        self.folder, self.mark = folder, uuid.uuid4().hex
        self.out, self.err = folder / f"out-{self.mark}.txt", folder / f"err-{self.mark}.txt"
        ganbench = [sys.executable, "-m", "ganbench", "run", *WORDS, *words]
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                ["sh", "-c", f'{before}; exec "$0" "$@"', *ganbench] if before else ganbench,
                cwd=folder, start_new_session=True, stdout=out, stderr=err,
                env=os.environ | {"GANBENCH_TEST_MARK": self.mark} | (environment or {}),
            )  # fmt: skip

    def end(self) -> Ended:
        return Ended(self.process.wait(PATIENCE), self.out.read_text(), self.err.read_text())

    def wait_for(self, found: Callable[[], object]) -> None:
        """Wait until something is found; fail where the command ends before."""
        deadline = time.monotonic() + PATIENCE
        while not found():
            assert self.process.poll() is None, self.end()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def wait_for_checkpoints(self, images: int = 200) -> None:
        """Wait until the trial has two checkpoints, and the one before the last was taken at so many images or more."""

        def there() -> bool:
            with contextlib.suppress(Damaged):
                return any(
                    read_header(path)["images"] >= images for path in self.folder.glob("runs/*/resume-before.pt")
                )
            return False

        self.wait_for(there)

    def processes(self) -> list[int]:
        """Return the numbers of all that come of this command and live, its own not among them."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (place / "environ").read_bytes() and int(place.name) != self.process.pid:
                    found.append(int(place.name))
            except (OSError, ValueError):
                continue
        return found

    def worker(self) -> int:
        """Return the number of the one worker."""
        (found,) = (pid for pid in self.processes() if os.getpgid(pid) == pid and parent(pid) in self.processes())
        return found

    def starter(self) -> int:
        """Return the number of the process that starts workers."""
        (found,) = (pid for pid in self.processes() if parent(pid) == self.process.pid)
        return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def run(folder: Path, *words: str, environment: dict[str, str] | None = None, before: str = "") -> Ended:
    return Command(folder, *words, environment=environment, before=before).end()


def interrupted(folder: Path, number: int = signal.SIGINT, images: int = 200) -> Ended:
    """Return how a command ended that was asked to once it had two checkpoints."""
    command = Command(folder)
    command.wait_for_checkpoints(images)
    command.process.send_signal(number)
    return command.end()


class Done(NamedTuple):
    """What the one run of all faulty models printed, gave and left."""

    status: int
    out: str
    records: dict[str, Record]
    runs: Path
    board: str


def run_models(folder: Path) -> Done:
    """Run all faulty models, and the healthy one, at once."""
    shutil.copy(SOURCE, folder / "models.py")
    plugins = ",".join(f"./models.py:{name}" for name in MODELS)
    ended = run(
        folder, "--plugins", plugins, "--budget", "5steps", "--timeout", "12s", "--memory", "2GiB", "--jobs", "2"
    )
    assert ended.err == ""
    records = {record.model: record for record in map(read_record, folder.glob("runs/*/record.json"))}
    board = (folder / "leaderboards" / "digits-smoke+5steps.csv").read_text()
    return Done(ended.status, ended.out, records, folder / "runs", board)


def record_of(folder: Path) -> Record:
    (path,) = folder.glob("runs/*/record.json")
    return read_record(path)


def is_same(folder: Path, undisturbed: Path) -> bool:
    """Tell whether two folders hold the same trial with the same result, to the last digit and pixel."""
    mine, theirs = record_of(folder), record_of(undisturbed)
    curves = [[{**point, "seconds": 0} for point in record.curve] for record in (mine, theirs)]
    pictures = [(place / "runs" / mine.key / "samples.png").read_bytes() for place in (folder, undisturbed)]
    return (
        mine.key == theirs.key
        and mine.status == theirs.status == "ok"
        and mine.metrics == theirs.metrics
        and (mine.images, mine.steps) == (theirs.images, theirs.steps)
        and curves[0] == curves[1]
        and pictures[0] == pictures[1]
    )
