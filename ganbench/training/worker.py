"""One trial in a process of its own: ``python -m ganbench.training.worker`` reads its `Job` from standard input.

Standard output carries one JSON object a line for the executor; whatever a plugin prints goes to the trial's
``log.txt``. The process holds the folder's lock, and leaves a record there unless it is killed or asked to end.
"""

from __future__ import annotations

import time

_IMPORTED = time.perf_counter()  # before torch is: in a process of its own that is part of what loading costs

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

import torch
import torch._dynamo  # noqa: F401  # the first optimiser imports it: seconds that no model should be billed

from ganbench.store.provenance import provenance
from ganbench.store.run_record import Record, Status
from ganbench.store.run_spec import Job
from ganbench.store.store import RECORD, RESERVE, locked, set_aside
from ganbench.training.checkpoint import remove_checkpoints
from ganbench.training.failures import BUSY, STOPPED, of_error, tail
from ganbench.training.training_run import Run, Stopped
from ganbench.util.atomic_io import remove_partial_files, sha256_of, write_text

RESERVED = 2**16
"""Bytes kept free for the record."""


def work(job: Job, events: int, alive: int | None, began: float) -> int:
    """Do a job and return an exit status.

    `events` is where news goes; `alive` is a pipe that nobody writes to and that closes when the executor is gone.
    `began` is when the process did, on the clock of ``time.perf_counter``.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    with open(job.folder / "log.txt", "ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    with locked(job.folder) as mine, open(events, "w") as stream:
        if not mine:
            return BUSY
        record = job.folder / RECORD
        if record.exists():
            if sha256_of(record) != job.replaces:
                return 0  # another run has done it meanwhile
            set_aside(job.folder)
        remove_partial_files(job.folder)
        if job.anew:
            remove_checkpoints(job.folder)
        if alive is not None:
            threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
        return _Worker(job, stream, began)()


def _end_with(alive: int) -> None:
    """End this process and its children once the executor is gone, whatever they are at."""
    os.read(alive, 1)
    os.killpg(0, signal.SIGKILL)


class _Alone(BaseException):
    """The executor is gone: nobody hears what the worker says."""


class _Worker:
    """Surrounds a `Run` with what makes its end, whatever that is, a record."""

    def __init__(self, job: Job, events: TextIO, began: float) -> None:
        self._job, self._events = job, events
        self._run = Run(job, self._emit, began)
        self._reserve = job.folder / RESERVE
        self._provenance: dict[str, Any] = {}

    def __call__(self) -> int:
        job, run = self._job, self._run
        faulthandler.enable()
        signal.signal(signal.SIGTERM, self._on_term)
        status, reason = Status.OK, ""
        try:
            self._reserve.write_bytes(b"\0" * RESERVED)
            write_text(job.folder / "trial.json", job.trial.model_dump_json(indent=1))
            write_text(job.folder / "setting.json", job.setting.model_dump_json(indent=1))
            self._settle()
            self._provenance = provenance(run.device, job.trial.precision, job.setting.command)
            self._emit(phase="loading", provenance=self._provenance)
            run()
        except (Stopped, _Alone) as end:  # without a record: the trial goes on another time
            self._reserve.unlink(missing_ok=True)
            return STOPPED if isinstance(end, Stopped) else 1
        except BaseException as error:  # a plugin may even call sys.exit
            self._lift_limits()
            _print(error)
            status, reason = of_error(error)
            del error
        self._record(status, reason).write(job.folder / RECORD, spare=self._reserve)
        if status is Status.OK:
            remove_checkpoints(job.folder)
        return 0

    def _settle(self) -> None:
        """Set what the setting says of threads, determinism and memory."""
        setting = self._job.setting
        torch.set_num_threads(setting.threads)
        if setting.deterministic:
            torch.use_deterministic_algorithms(True)
            torch.backends.cudnn.benchmark = False
        if setting.memory_bytes is not None:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (setting.memory_bytes, hard))
        with contextlib.suppress(OSError):  # should memory run out, the kernel is to end a trial, not the run
            Path("/proc/self/oom_score_adj").write_text("500")

    def _lift_limits(self) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))

    def _on_term(self, number: int, frame: Any) -> None:
        if not self._run.training:
            os._exit(STOPPED)
        self._run.stopping = True

    def _emit(self, **event: Any) -> None:
        try:
            print(json.dumps(event), file=self._events, flush=True)
        except BrokenPipeError:
            raise _Alone from None

    def _record(self, status: Status, reason: str) -> Record:
        run, good = self._run, status is Status.OK
        seconds = run.seconds()
        if run.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(run.device)
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        trained = seconds.get("train", 0.0)
        return self._job.trial.ended(
            status,
            reason,
            log="" if good else tail(self._job.folder / "log.txt"),
            metrics=run.verdict.scores if good else {},
            absent=run.verdict.absent if good else {},
            curve=run.curve,
            seconds=seconds,
            images=run.progress.images,
            steps=run.progress.steps,
            parameters=run.parameters,
            images_per_second=run.progress.images / trained if trained else 0.0,
            peak_memory_bytes=peak,
            resumed=run.resumed,
            files=run.files,
            provenance=self._provenance,
        )


def _print(error: BaseException) -> None:
    """Print a traceback; where there is no memory for that, let go of what its frames hold, and try again."""
    with contextlib.suppress(OSError):  # a log on a full disk
        try:
            traceback.print_exception(error)
        except MemoryError:
            traceback.clear_frames(error.__traceback__)
            print(f"{type(error).__name__}: {error}", file=sys.stderr)


def main() -> None:
    """Do the job on standard input; leave at once, whatever threads a plugin has left behind."""
    job = Job.model_validate_json(sys.stdin.buffer.read())
    alive = int(sys.argv[1]) if len(sys.argv) > 1 else None
    status = work(job, os.dup(1), alive, _IMPORTED)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
