"""Trials as processes on this machine, some at a time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.errors import RequestError
from ganbench.executors.base import Event
from ganbench.files import write_text
from ganbench.trials.record import Record, Status, read_record
from ganbench.trials.trial import Setting, Trial

GRACE = 5.0
"""Seconds between asking a worker to end and killing it."""


@dataclass
class _Worker:
    trial: Trial
    folder: Path
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class LocalExecutor:
    """Run `jobs` worker processes at a time, each with the setting's number of threads."""

    jobs: int

    def run(self, trials: list[Trial], setting: Setting, out: Path) -> Iterator[Event]:
        waiting, running = list(trials), list[_Worker]()
        news: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    worker = _start(waiting.pop(0), setting, out)
                    running.append(worker)
                    threading.Thread(target=_listen, args=(worker, news), daemon=True).start()
                    yield Event(worker.trial, phase="starting")
                worker, message = news.get()
                if message is not None:
                    yield Event(worker.trial, **message)
                else:
                    running.remove(worker)
                    yield Event(worker.trial, record=_conclude(worker, setting))
        finally:
            _stop(running)


def _start(trial: Trial, setting: Setting, out: Path) -> _Worker:
    folder = out / trial.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").unlink(missing_ok=True)
    write_text(folder / "trial.json", trial.model_dump_json(indent=1))
    write_text(folder / "setting.json", setting.model_dump_json(indent=1))
    threads = str(setting.threads)
    environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    # A model class given from Python must be found where its module was found here.
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    # A session of its own: Ctrl-C reaches the command alone, which then ends its workers in order.
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ganbench.trials.worker", str(folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            env=environment, start_new_session=True,
        )  # fmt: skip
    return _Worker(trial, folder, process)


def _listen(worker: _Worker, news: queue.Queue[tuple[_Worker, dict[str, Any] | None]]) -> None:
    assert worker.process.stdout is not None
    with worker.process.stdout as lines:
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                news.put((worker, json.loads(line)))
    worker.process.wait()
    news.put((worker, None))


def _conclude(worker: _Worker, setting: Setting) -> Record:
    """Return the record that the worker wrote, or write the one it could not."""
    path = worker.folder / "record.json"
    with contextlib.suppress(RequestError):
        return read_record(path)
    code = worker.process.returncode
    if code < 0:
        name = signal.Signals(-code).name
        status, reason = (
            Status.KILLED,
            f"the worker was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else ""),
        )
    else:
        lines = (worker.folder / "log.txt").read_text(errors="replace").strip().splitlines()
        status, reason = (
            Status.FAILED,
            f"the worker ended with status {code} and no record: {lines[-1] if lines else 'no output'}",
        )
    record = worker.trial.ended(status, reason, provenance={"command": setting.command})
    record.write(path)
    return record


def _stop(running: list[_Worker]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for worker in running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(worker.process.pid, sign)
        for worker in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(GRACE)
