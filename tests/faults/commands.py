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
from ganbench.store.run_record import RunRecord, read_run
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store

from ..zygote import MARK, Forked, Zygote, in_use, use
from .cases import MODELS
from .models import __file__ as SOURCE

WORDS = (
    "--plugins", "dcgan", "--no-baselines", "--seeds", "1", "--track", "digits-smoke", "--budget", "60steps",
    "--checkpoint-every", "0",
)  # fmt: skip
"""A run of a few seconds that has everything: two optimisers, batch normalisation, an average, counters."""
PATIENCE = 120
Scenario = Callable[[Path, Path], None]
"""What happens in a folder, and the folder of the undisturbed run."""


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


class Command:
    """A running ``ganbench run`` in a folder, forked from a process that has imported torch: that saves seconds.

    With the shell's `before` it is a Python of its own, after that. `killed` is a point of `killed_at`. `mark` is in
    the environment, or the name, of every process that comes of it.
    """

    def __init__(
        self, folder: Path, *words: str, environment: dict[str, str] | None = None, before: str = "", killed: str = ""
    ) -> None:
        self.folder, self.mark = folder, uuid.uuid4().hex[:15]
        self.out, self.err = folder / f"out-{self.mark}.txt", folder / f"err-{self.mark}.txt"
        for path in (self.out, self.err):
            path.touch()
        environment = {MARK: self.mark} | (environment or {})
        self.process = _shell(self, words, before, environment) if before else _forked(self, words, environment, killed)

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
        """Wait until the run has two checkpoints, and the one before the last was taken at so many images or more."""
        self.wait_for(lambda: images_before(self.folder) >= images)

    def processes(self) -> list[int]:
        """Return the numbers of all that come of this command and live, its own not among them."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                marks = (place / "environ").read_bytes() + (place / "comm").read_bytes()
                if self.mark.encode() in marks and int(place.name) != self.process.pid:
                    found.append(int(place.name))
            except (OSError, ValueError):
                continue
        return found

    def worker(self) -> int:
        """Return the number of the one worker."""
        (found,) = (pid for pid in self.processes() if os.getpgid(pid) == pid and parent(pid) in self.processes())
        return found

    def fork_server(self) -> int:
        """Return the number of the process that starts workers."""
        (found,) = (pid for pid in self.processes() if os.getsid(pid) == pid)
        return found


def images_before(folder: Path) -> int:
    """Return at how many images the checkpoint before the last was taken, 0 where there is none."""
    with contextlib.suppress(Damaged):
        return max((int(read_header(path)["images"]) for path in folder.glob("runs/*/resume-before.pt")), default=0)
    return 0


def _forked(command: Command, words: tuple[str, ...], environment: dict[str, str], killed: str) -> Forked:
    argv = [killed] * bool(killed) + ["run", *WORDS, *words]
    order = {
        "environment": os.environ | environment, "folder": str(command.folder), "do": f"{__name__}:_become",
        "with": [argv, bool(killed), str(in_use().folder)],
    }  # fmt: skip
    with open(os.devnull) as nothing, open(command.out, "wb") as out, open(command.err, "wb") as err:
        return Forked(in_use().ready("commands"), order, [nothing.fileno(), out.fileno(), err.fileno()])


def _become(argv: list[str], killed: bool, zygotes: str) -> None:
    """Be the command."""
    from ganbench.cli.main import main

    from . import killed_at

    sys.argv = ["ganbench", *argv]
    use(Zygote(Path(zygotes)))
    (killed_at.main if killed else main)()


def _shell(
    command: Command, words: tuple[str, ...], before: str, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    ganbench = [sys.executable, "-m", "ganbench", "run", *WORDS, *words]
    with open(command.out, "wb") as out, open(command.err, "wb") as err:
        return subprocess.Popen(
            ["sh", "-c", f'{before}; exec "$0" "$@"', *ganbench], cwd=command.folder, start_new_session=True,
            stdout=out, stderr=err, env=os.environ | environment,
        )  # fmt: skip


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def run(folder: Path, *words: str, environment: dict[str, str] | None = None, before: str = "") -> Ended:
    return Command(folder, *words, environment=environment, before=before).end()


def interrupted(folder: Path, number: int = signal.SIGINT, images: int = 200) -> Ended:
    """Return how a command ended that was asked to once it had two checkpoints, one of them of its own."""
    images = max(images, images_before(folder) + 1)
    command = Command(folder)
    command.wait_for_checkpoints(images)
    command.process.send_signal(number)
    return command.end()


class Done(NamedTuple):
    """What the one run of all faulty models printed, gave and left."""

    status: int
    out: str
    records: dict[str, RunRecord]
    scores: dict[str, ScoreRecord]
    runs: Path
    board: str


def run_models(folder: Path) -> Done:
    """Run all faulty models, and the healthy one, six at a time: four wait until a watchdog ends them."""
    shutil.copy(SOURCE, folder / "models.py")
    plugins = ",".join(f"./models.py:{name}" for name in MODELS)
    ended = run(
        folder,
        "--plugins",
        plugins,
        "--budget",
        "5steps",
        "--stall-timeout",
        "12s",
        "--memory-limit",
        "2GiB",
        "--jobs",
        "6",
    )
    assert ended.err == ""
    stored = list(Store(folder / "runs").records())
    records = {each.record.spec.model_info.name: each.record for each in stored if each.record}
    scores = {each.record.spec.model_info.name: each.scores[0] for each in stored if each.record and each.scores}
    board = (folder / "boards" / "digits-smoke+5steps.csv").read_text()
    return Done(ended.status, ended.out, records, scores, folder / "runs", board)


def record_of(folder: Path) -> RunRecord:
    (path,) = folder.glob("runs/*/run.json")
    return read_run(path)


def is_same(folder: Path, undisturbed: Path) -> bool:
    """Tell whether two folders hold the same run with the same result, to the last digit and pixel."""
    mine, theirs = record_of(folder), record_of(undisturbed)
    curves = [[{**point.model_dump(), "seconds": 0} for point in record.curve] for record in (mine, theirs)]
    scores = [Store(place / "runs").scores(mine.key).records[0] for place in (folder, undisturbed)]
    pictures = [(place / "runs" / mine.key / "samples.png").read_bytes() for place in (folder, undisturbed)]
    return (
        mine.key == theirs.key
        and mine.status == theirs.status == "ok"
        and mine.samples == theirs.samples
        and scores[0].metrics == scores[1].metrics
        and scores[0].curve == scores[1].curve
        and (mine.images, mine.steps) == (theirs.images, theirs.steps)
        and curves[0] == curves[1]
        and pictures[0] == pictures[1]
    )
