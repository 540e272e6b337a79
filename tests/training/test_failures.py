"""How a run ended, told from an exception: one word and one line."""

from __future__ import annotations

import errno

import pytest
import torch

from ganbench.errors import DivergedError, RequestError
from ganbench.training.failures import describe
from ganbench.training.process_guard import TamperedError
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
        (TamperedError("step changed torch's default dtype"), "failed", "step changed torch's default dtype"),
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
    found, reason = describe(error)
    assert found == status
    assert said in reason
    assert "\n" not in reason
