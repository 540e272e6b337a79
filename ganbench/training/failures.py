"""How a run ended, and why, in one line: told from an exception."""

from __future__ import annotations

import errno
import os

import torch

from ganbench.errors import DivergedError, RequestError
from ganbench.store.run_record import RunStatus
from ganbench.training.process_guard import TamperedError
from ganbench.training.sampling import SampleError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OUT_OF_MEMORY = ("can't allocate memory", "std::bad_alloc", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What has no exception class of its own."""


def describe(error: BaseException) -> tuple[RunStatus, str]:
    """Return the status that an exception leads to, and the reason; the traceback is in the log."""
    text = " ".join(str(error).split())
    if isinstance(error, DivergedError):
        return RunStatus.DIVERGED, text
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in text for sign in OUT_OF_MEMORY):
        return RunStatus.OOM, text or "out of memory"
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        where = f" while writing {error.filename}" if error.filename else ""
        return RunStatus.FAILED, f"{os.strerror(error.errno)}{where}: free some space, then --retry failed"
    if isinstance(error, SampleError | RequestError | TamperedError):
        return RunStatus.FAILED, text
    return RunStatus.FAILED, f"{type(error).__name__}: {text}"
