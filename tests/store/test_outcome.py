"""How a trial ended, told from an exception or from its process: one word and one line."""

from __future__ import annotations

import errno
import signal

import pytest
import torch

from ganbench.errors import DivergedError, RequestError
from ganbench.training.failures import STOPPED, of_error, of_exit, out_of_memory_kills
from ganbench.training.sampling import SampleError

CPU_MEMORY = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MemoryError(), "oom", "out of memory"),
        (RuntimeError(CPU_MEMORY), "oom", "can't allocate memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), "oom", "CUDA out of memory"),
        (RuntimeError("CUDA error: out of memory"), "oom", "CUDA"),
        (RuntimeError("something else"), "failed", "RuntimeError: something else"),
        (ValueError("first line\nsecond line"), "failed", "ValueError: first line second line"),
        (SystemExit(3), "failed", "SystemExit: 3"),
        (DivergedError("loss 'critic' became nan"), "diverged", "loss 'critic' became nan"),
        (SampleError("sample returned shape"), "failed", "sample returned shape"),
        (RequestError("data set 'x': damaged"), "failed", "data set 'x': damaged"),
        (
            OSError(errno.ENOSPC, "full", "runs/a/resume.pt"),
            "failed",
            "No space left on device while writing runs/a/re",
        ),
        (PermissionError(errno.EACCES, "no", "x"), "failed", "PermissionError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_exception_has_a_kind_and_a_line(error: BaseException, status: str, said: str) -> None:
    found, reason = of_error(error)
    assert found == status
    assert said in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("code", "log", "out_of_memory", "status", "said"),
    [
        (7, "first\nthe last words\n\n", False, "failed", "status 7 and no record: the last words"),
        (0, "", False, "failed", "no output"),
        (-signal.SIGSEGV, "x", False, "failed", "crashed with SIGSEGV"),
        (-signal.SIGKILL, "x", False, "killed", "ended by SIGKILL, which ganbench did not send"),
        (-signal.SIGKILL, "x", True, "oom", "kernel"),
        (-signal.SIGTERM, "x", True, "killed", "SIGTERM"),
        (STOPPED, "x", False, "killed", "SIGTERM"),
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'", False, "oom", "bad_alloc"),
    ],
)
def test_an_exit_has_a_kind_and_a_line(code: int, log: str, out_of_memory: bool, status: str, said: str) -> None:
    found, reason = of_exit(code, log, out_of_memory=out_of_memory)
    assert found == status
    assert said in reason
    assert "\n" not in reason


def test_the_kernels_count_is_a_number() -> None:
    assert out_of_memory_kills() >= 0
