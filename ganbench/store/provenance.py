"""Where and with what a record was made; importing this does not import torch."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ganbench

if TYPE_CHECKING:
    import torch


def provenance(device: torch.device | str | None, precision: str, command: list[str]) -> dict[str, Any]:
    """Return what a reader needs to set up the same run: code, versions, machine, flags, time, command line.

    torch is imported where a `device` is given. Without one, only what is known without importing it is told: whoever
    merely starts workers neither waits for torch nor touches the GPU.
    """
    commit, dirty = _git()
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "git_commit": commit,
        "git_dirty": dirty,
        "ganbench": ganbench.__version__,
        "python": platform.python_version(),
        **_torch(device),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "platform": platform.platform(),
        "precision": precision,
    }


def _torch(device: torch.device | str | None) -> dict[str, Any]:
    if device is None and "torch" not in sys.modules:
        return {"torch": _version("torch"), "cuda": None, "driver": None, "device": None, "threads": None,
                "deterministic": None}  # fmt: skip
    import torch

    cuda = device is not None and torch.device(device).type == "cuda"
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "driver": _driver() if cuda else None,
        "device": torch.cuda.get_device_name(device) if cuda else device and str(device),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Return the commit of the checkout that a folder lies in, and whether the folder is dirty; None outside of one."""
    commit = _output(["git", "-C", str(folder), "rev-parse", "HEAD"])
    return commit, None if commit is None else bool(
        _output(["git", "-C", str(folder), "status", "--porcelain", "--", "."])
    )


def _git() -> tuple[str | None, bool | None]:
    """Return the commit of the checkout that ganbench runs from and whether it is dirty; None where installed."""
    package = Path(ganbench.__file__).parent
    if not (package.parent / ".git").exists():
        return None, None
    return _output(["git", "-C", str(package), "rev-parse", "HEAD"]), bool(
        _output(["git", "-C", str(package), "status", "--porcelain", "--", ".", "../plugins"])
    )


def _output(words: list[str]) -> str | None:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _driver() -> str | None:
    """Return the version of NVIDIA's driver: from the kernel, or where it does not tell, from ``nvidia-smi``."""
    with contextlib.suppress(OSError):
        if found := re.search(r"Kernel Module.*?\s(\d+\.[.\d]+)", Path("/proc/driver/nvidia/version").read_text()):
            return found[1]
    return _output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
