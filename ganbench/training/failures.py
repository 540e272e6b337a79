"""How a trial ended, and why, in one line: told from an exception, or from how its process went."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import torch

from ganbench.errors import DivergedError, RequestError
from ganbench.store.run_record import Status
from ganbench.training.sampling import SampleError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BUSY, STOPPED = 75, 128 + signal.SIGTERM
"""Exit statuses of a worker: another process is at work on the trial; it was asked to end, and the trial can go on."""
CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")
NO_MEMORY = ("can't allocate memory", "std::bad_alloc", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What has no exception class of its own."""
TAIL_LINES, TAIL_BYTES = 30, 4096


def of_error(error: BaseException) -> tuple[Status, str]:
    """Name an exception's kind and reason; the traceback is in the log."""
    text = " ".join(str(error).split())
    if isinstance(error, DivergedError):
        return Status.DIVERGED, text
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in text for sign in NO_MEMORY):
        return Status.OOM, text or "out of memory"
    if isinstance(error, OSError) and error.errno in FULL:
        where = f" while writing {error.filename}" if error.filename else ""
        return Status.FAILED, f"{os.strerror(error.errno)}{where}: free some space, then --retry failed"
    if isinstance(error, SampleError | RequestError):
        return Status.FAILED, text
    return Status.FAILED, f"{type(error).__name__}: {text}"


def of_exit(code: int, log: str, *, out_of_memory: bool) -> tuple[Status, str]:
    """Name how a process ended that left no record.

    `code` is its exit status, or minus the number of the signal that ended it; `out_of_memory` tells whether the
    kernel ended processes for want of memory meanwhile.
    """
    lines = [line for line in log.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "no output"
    if any(sign in log for sign in NO_MEMORY):
        return Status.OOM, f"out of memory: {last}"
    if code == STOPPED:
        code = -signal.SIGTERM
    if code >= 0:
        return Status.FAILED, f"the worker ended with status {code} and no record: {last}"
    name = signal.Signals(-code).name
    if name in CRASHES:
        return Status.FAILED, f"the worker crashed with {name}: the log ends with where"
    if name == "SIGKILL" and out_of_memory:
        return Status.OOM, "the kernel ended the worker for want of memory (SIGKILL): fewer --jobs, or a smaller model"
    return Status.KILLED, f"the worker was ended by {name}, which ganbench did not send"


def out_of_memory_kills() -> int:
    """Return how many processes the kernel has ended for want of memory since it started; 0 where it does not tell."""
    try:
        words = Path("/proc/vmstat").read_text().split()
        return int(words[words.index("oom_kill") + 1])
    except (OSError, ValueError, IndexError):
        return 0


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    try:
        with open(log, "rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])
