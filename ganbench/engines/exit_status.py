"""How a worker process ended, in one line: told from its exit status, its log, and what the kernel says."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Literal

from ganbench.util.exit_codes import STOPPED

CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")
OUT_OF_MEMORY = ("can't allocate memory", "std::bad_alloc", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")

Kind = Literal["failed", "oom", "killed"]


def of_exit(code: int, log: str, *, out_of_memory: bool) -> tuple[Kind, str]:
    """Return what kind of end it was, and why.

    `code` is the exit status, or minus the number of the signal that ended the process; `log` is the end of what it
    printed; `out_of_memory` tells whether the kernel ended processes for want of memory meanwhile.
    """
    lines = [line for line in log.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "no output"
    if any(sign in log for sign in OUT_OF_MEMORY):
        return "oom", f"out of memory: {last}"
    if code == STOPPED:
        code = -signal.SIGTERM
    if code >= 0:
        return "failed", f"the worker ended with status {code} and no record: {last}"
    name = signal.Signals(-code).name
    if name in CRASHES:
        return "failed", f"the worker crashed with {name}: its log says where"
    if name == "SIGKILL" and out_of_memory:
        return "oom", "the kernel ended the worker because memory ran out (SIGKILL): use fewer --jobs, or less memory"
    return "killed", f"the worker was ended by {name}, which ganbench did not send"


def out_of_memory_kills() -> int:
    """Return how many processes the kernel has ended because memory ran out since it started; 0 where it is unknown."""
    try:
        words = Path("/proc/vmstat").read_text().split()
        return int(words[words.index("oom_kill") + 1])
    except (OSError, ValueError, IndexError):
        return 0
