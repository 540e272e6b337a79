"""A training worker: does one `TrainJob` in a process of its own, and leaves a record there, however it ends.

It is given training images and labels by file, and nothing else of the data set; no extractor, no metric. It holds the
folder's lock, and leaves a record unless it is killed or asked to end.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # noqa: F401  # the first optimiser imports it: seconds that no model should be billed

from ganbench.errors import EngineGone
from ganbench.store.layout import RESERVE, RUN, RUNTIME, SPEC
from ganbench.store.locks import locked
from ganbench.store.provenance import provenance
from ganbench.store.run_record import RunRecord, RunStatus, ended
from ganbench.store.run_spec import RuntimeConfig, TrainJob
from ganbench.store.store import set_aside
from ganbench.training.checkpoint import remove_checkpoints
from ganbench.training.failures import describe
from ganbench.training.memory import peak_memory
from ganbench.training.training_run import Stopped, TrainingRun
from ganbench.util.atomic_io import remove_partial_files, sha256_of, write_text
from ganbench.util.exit_codes import BUSY, STOPPED
from ganbench.util.float32 import use_ieee_float32
from ganbench.util.log_tail import tail

ENTRY = f"{__name__}:work"
RESERVED = 2**16
"""Bytes kept free for the record."""


def work(payload: dict[str, Any], emit: Callable[..., None], began: float) -> int:
    """Do a `TrainJob`, given as JSON values, and return an exit status."""
    job = TrainJob.model_validate(payload)
    job.folder.mkdir(parents=True, exist_ok=True)
    with locked(job.folder) as mine:
        if not mine:
            return BUSY
        record = job.folder / RUN
        if record.exists():
            if sha256_of(record) != job.replaces:
                return 0  # another command has done it meanwhile
            set_aside(job.folder)
        remove_partial_files(job.folder)
        if job.restart:
            remove_checkpoints(job.folder)
        return _train(job, emit, began)


def _train(job: TrainJob, emit: Callable[..., None], began: float) -> int:
    run, reserve = TrainingRun(job, emit, began), job.folder / RESERVE
    made: dict[str, Any] = {}
    status, reason = RunStatus.OK, ""

    def on_term(number: int, frame: Any) -> None:
        if not run.training:
            os._exit(STOPPED)
        run.stopping = True

    signal.signal(signal.SIGTERM, on_term)
    try:
        reserve.write_bytes(b"\0" * RESERVED)
        write_text(job.folder / SPEC, job.spec.model_dump_json(indent=1))
        write_text(job.folder / RUNTIME, job.runtime.model_dump_json(indent=1))
        settle(job.runtime)
        made = provenance(run.device, job.spec.training.precision, job.runtime.command)
        emit(phase="loading", provenance=made)
        run()
    except (Stopped, EngineGone) as end:  # without a record: the run goes on another time
        reserve.unlink(missing_ok=True)
        return STOPPED if isinstance(end, Stopped) else 1
    except BaseException as error:  # a plugin may even call sys.exit
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
        _print(error)
        status, reason = describe(error)
        del error
    record = _record(run, status, reason, made)
    record.write(job.folder / RUN, spare=reserve)
    if status is RunStatus.OK:
        remove_checkpoints(job.folder)
        # The run is over and on disk: should counting end this process, nothing is lost but a number.
        if (flops := run.count_flops()) is not None:
            with contextlib.suppress(OSError):
                record.model_copy(update={"flops": flops}).write(job.folder / RUN)
    return 0


def settle(runtime: RuntimeConfig) -> None:
    """Set what the configuration says of threads, determinism and memory in this process."""
    torch.set_num_threads(runtime.threads)
    use_ieee_float32()
    if runtime.deterministic:
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    if runtime.memory_limit is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (runtime.memory_limit, hard))
    with contextlib.suppress(OSError):  # should memory run out, the kernel is to end a worker, not the command
        Path("/proc/self/oom_score_adj").write_text("500")


def _record(run: TrainingRun, status: RunStatus, reason: str, made: dict[str, Any]) -> RunRecord:
    seconds, good = run.seconds(), status is RunStatus.OK
    trained = seconds.get("train", 0.0)
    return ended(
        run.spec,
        status,
        reason,
        log="" if good else tail(run.folder / "log.txt"),
        samples=run.samples if good else None,
        curve=run.curve,
        seconds=seconds,
        images=run.progress.images,
        steps=run.progress.steps,
        parameters=run.parameters,
        images_per_second=run.progress.images / trained if trained else 0.0,
        processor_share=run.timer.processor_share() if run.device.type == "cpu" else None,
        peak_memory_bytes=run.peak_memory or peak_memory(run.device),
        resumed=run.resumed,
        files=run.files,
        flags=run.flags,
        provenance=made,
    )


def _print(error: BaseException) -> None:
    """Print a traceback; where there is no memory for that, let go of what its frames hold, and try again."""
    with contextlib.suppress(OSError, ValueError):  # a log on a full disk; a stream that a plugin closed
        try:
            traceback.print_exception(error)
        except MemoryError:
            traceback.clear_frames(error.__traceback__)
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
