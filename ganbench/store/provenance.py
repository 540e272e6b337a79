"""Where and with what a record was made."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

import ganbench


def provenance(device: torch.device | None, precision: str, command: list[str]) -> dict[str, Any]:
    """Return what a reader needs to set up the same run: code, versions, machine, flags, time, command line.

    Without a device nothing is asked of one: whoever only starts trials leaves the GPU alone.
    """
    commit, dirty = _git()
    cuda = device is not None and device.type == "cuda"
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "git_commit": commit,
        "git_dirty": dirty,
        "ganbench": ganbench.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "driver": _driver() if cuda else None,
        "device": torch.cuda.get_device_name(device) if cuda else device and str(device),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "precision": precision,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _git() -> tuple[str | None, bool | None]:
    """The commit of the checkout that ganbench runs from; None for an installed copy."""
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
    return _output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
