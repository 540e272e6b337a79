"""Global state of the process that a plugin must leave alone: remembered before it runs, compared after.

A plugin shares its process with the training loop alone. What it changes here cannot reach a score, but it makes the
run another one than its record says: the run fails, and says what was changed and during what.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import Any

import torch


class TamperedError(Exception):
    """A plugin changed global state of its process; the message says what, and during what."""


class ProcessGuard:
    """Compares the process's global state with what it was; `check` raises `TamperedError`."""

    def __init__(self) -> None:
        self._before = _state()

    def seeded(self) -> None:
        """Take in that the harness has just seeded torch: from now on nobody else may.

        A generator's seed is part of its state: forked and put back, or restored from a checkpoint, it is the same.
        """
        self._before["torch's seed"] = torch.initial_seed()

    def check(self, during: str) -> None:
        """Raise where something differs from what it was; `during` names the call of the plugin that came before."""
        now = _state() | {"torch's seed": torch.initial_seed()}
        for what, value in self._before.items():
            if value != now[what]:
                raise TamperedError(f"{during} changed {what} from {value} to {now[what]}: a model must leave it alone")


def _state() -> dict[str, Any]:
    with contextlib.suppress(OSError):
        folder = os.getcwd()  # noqa: PTH109  # a string, whatever was patched
        return {
            "torch's default dtype": torch.get_default_dtype(),
            "torch's default device": torch.get_default_device(),
            "torch's number of threads": torch.get_num_threads(),
            "torch's grad mode": torch.is_grad_enabled(),
            "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
            "torch's float32 matmul precision": torch.get_float32_matmul_precision(),
            "torch's TF32 for convolutions": _tf32(),
            "the working directory": folder,
            "the handler of SIGTERM": _name(signal.getsignal(signal.SIGTERM)),
            "the handler of SIGINT": _name(signal.getsignal(signal.SIGINT)),
            "standard output": _stream(1, sys.stdout),
            "standard error": _stream(2, sys.stderr),
            "time.perf_counter": _name(time.perf_counter),
            "time.monotonic": _name(time.monotonic),
        }
    raise TamperedError("a model removed the working directory: it must leave it alone")


def _tf32() -> str:
    try:
        return "on" if torch.backends.cudnn.allow_tf32 else "off"
    except RuntimeError:  # it was set in torch's newer way, which the older cannot read
        return "set for each operation"


def _name(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}".strip(".")


def _stream(handle: int, stream: Any) -> str:
    """Say what a standard stream leads to."""
    if stream is None or getattr(stream, "closed", False):
        return "closed"
    try:
        found = os.fstat(handle)
    except OSError:
        return "closed"
    return f"{type(stream).__name__} on file {found.st_dev}:{found.st_ino}"
