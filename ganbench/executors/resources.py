"""What this machine offers: cores, memory, devices, and how to share them among trials."""

from __future__ import annotations

import os

from ganbench.errors import RequestError

MEMORY_PER_JOB = 2 * 2**30
"""Bytes that a trial may take; the boards show what quick ones do take (peak MiB)."""


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int:
    """Return the machine's memory in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 4 * MEMORY_PER_JOB


def share_out(jobs: int | None, trials: int, device: str) -> tuple[int, int]:
    """Return how many trials run at once and how many threads each has.

    By default as many as there are cores and as memory holds; one on a GPU.
    """
    if jobs is not None and jobs < 1:
        raise RequestError(f"--jobs {jobs}: at least 1")
    if jobs is None:
        jobs = 1 if device.startswith("cuda") else min(cores(), max(1, memory() // MEMORY_PER_JOB))
    jobs = max(1, min(jobs, trials))
    return jobs, max(1, cores() // jobs)


def pick_device(choice: str) -> str:
    """Return ``cpu`` or ``cuda:N``; raise `RequestError` for one that is not there."""
    import torch

    if choice == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(choice)
    except RuntimeError as error:
        raise RequestError(f"--device {choice!r}: write auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise RequestError(f"--device {choice}: this machine has no CUDA device: use --device cpu")
        if (device.index or 0) >= torch.cuda.device_count():
            raise RequestError(
                f"--device {choice}: there are {torch.cuda.device_count()} CUDA devices, numbered from 0"
            )
        return f"cuda:{device.index or 0}"
    if device.type != "cpu":
        raise RequestError(f"--device {choice!r}: write auto, cpu, cuda or cuda:N")
    return "cpu"
