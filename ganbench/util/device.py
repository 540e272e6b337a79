"""What this machine offers: cores, memory, devices, and how to share them among runs."""

from __future__ import annotations

import os

from pydantic import ByteSize, TypeAdapter, ValidationError

from ganbench.errors import RequestError

MEMORY_PER_JOB = 2 * 2**30
"""Bytes that a run may take; the boards show what quick ones do take (peak MiB)."""


LEAST_MEMORY = 2**30
"""Bytes that a run needs before its model is there: torch alone takes most of them."""


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int:
    """Return the machine's memory in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 4 * MEMORY_PER_JOB


def share_out(jobs: int | None, threads: int | None, device: str, devices: int = 1) -> tuple[int, int]:
    """Return how many processes work at once and how many threads each has.

    By default as many processes as there are cores and as memory holds, one thread each; on GPUs one each, among which
    cores are divided. Threads affect rounding on a CPU: there how many each has does not depend on how many processes
    there are.
    """
    for option, value in (("--jobs", jobs), ("--threads", threads)):
        if value is not None and value < 1:
            raise RequestError(f"{option} {value}: at least 1")
    if device.startswith("cuda"):
        jobs = jobs or devices
        return jobs, threads or max(1, cores() // jobs)
    threads = threads or 1
    return jobs or max(1, min(cores() // threads, memory() // MEMORY_PER_JOB)), threads


def read_size(text: str | None) -> int | None:
    """Read ``--memory-limit``: bytes such as ``4GiB`` or ``3000MB``."""
    if text is None:
        return None
    try:
        size = int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError:
        size = 0
    if size < LEAST_MEMORY:
        raise RequestError(f"--memory-limit {text!r}: write a size such as 4GiB or 3000MB, at least 1GiB")
    return size


def device_kind(device: str) -> str:
    """Return ``cpu``, or the name of a CUDA device: what a run under a time budget depends on."""
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name(torch.device(device))


def pick_devices(choice: str) -> list[str]:
    """Return the devices that runs share: ``cpu``, or one or more ``cuda:N``; ``auto`` and ``cuda`` are all GPUs.

    Several are named with commas. Raises `RequestError` for one that is not there.
    """
    import torch

    if choice in ("auto", "cuda") and torch.cuda.is_available():
        return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    found = [pick_device(each.strip()) for each in choice.split(",")]
    if len(set(found)) < len(found) or (len(found) > 1 and "cpu" in found):
        raise RequestError(f"--device {choice}: write GPUs that differ, such as cuda:0,cuda:1")
    return found


def places(devices: list[str]) -> list[dict[str, str]]:
    """Return for each device what a worker's environment must say for it to see that one alone, as ``cuda:0``.

    Where there is one device, its workers need nothing.
    """
    if len(devices) < 2:
        return [{}]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else None
    indices = [int(device.rpartition(":")[2]) for device in devices]
    return [{"CUDA_VISIBLE_DEVICES": names[index] if names else str(index)} for index in indices]


def worker_device(devices: list[str]) -> str:
    """Return what a worker calls its device: of several GPUs it sees one alone, see `places`."""
    return devices[0] if len(devices) == 1 else "cuda:0"


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
