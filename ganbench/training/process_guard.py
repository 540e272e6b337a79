"""Global state of the process that a plugin must leave alone: remembered before it runs, compared after.

A plugin shares its process with the training loop alone. What it changes here cannot reach a score, but it makes the
run another one than its record says: the run fails, and says what was changed and during what. This finds mistakes and
plain cheats. Code that means to can blind any watch in its own process: what time a run has truly taken the engine
knows, which is another (`ganbench.experiment.conclude`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from types import BuiltinFunctionType, CodeType, FunctionType
from typing import Any

import torch

HARNESS = tuple(f"ganbench.{part}" for part in ("training", "budget", "store", "data", "util"))
"""What of ganbench works beside a model in its process."""
KINDS = (FunctionType, BuiltinFunctionType, classmethod, staticmethod, property, type)
"""What of a namespace is remembered."""
DRIFT, LEAST_DRIFT = 0.05, 1.0
"""How far two clocks may differ: as a part of the time since, and in seconds, of which one clock counts 1/100."""


class TamperedError(Exception):
    """A plugin changed global state of its process; the message says what, and during what."""


class ProcessGuard:
    """Compares the process's global state with what it was; `check` raises `TamperedError`."""

    def __init__(self) -> None:
        self._before, self._functions, self._began = _state(), list(_functions()), _clocks()

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
        for each in self._functions:
            if not each.is_there():
                raise TamperedError(f"{during} changed {each.path}: a model must leave it alone")
        passed, elapsed = (clock - began for clock, began in zip(_clocks(), self._began, strict=True))
        if abs(elapsed - passed) > LEAST_DRIFT + DRIFT * abs(elapsed):
            raise TamperedError(
                f"{during} changed the clock: {passed:.1f} s by time.perf_counter are {elapsed:.1f} s by the kernel"
            )


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


@dataclass(frozen=True)
class _Function:
    """A function or class of the harness where it was found: under a name in a module's or class's namespace."""

    path: str
    namespace: Mapping[str, Any]
    name: str
    value: Any
    code: CodeType | None

    def is_there(self) -> bool:
        return self.namespace.get(self.name) is self.value and getattr(self.value, "__code__", None) is self.code


def _functions() -> Iterator[_Function]:
    """Yield the functions and classes of the harness that are loaded, and the methods of these."""
    for name, module in list(sys.modules.items()):
        if name.startswith(HARNESS):
            yield from _of(name, vars(module))
            for attribute, value in list(vars(module).items()):
                if isinstance(value, type) and value.__module__ == name:
                    yield from _of(f"{name}.{attribute}", vars(value))


def _of(path: str, namespace: Mapping[str, Any]) -> Iterator[_Function]:
    for name, value in list(namespace.items()):
        if isinstance(value, KINDS):
            yield _Function(f"{path}.{name}", namespace, name, value, getattr(value, "__code__", None))


def _clocks() -> tuple[float, float]:
    """Return the clock that budgets are read from, and the kernel's, which no other call leads to."""
    # Elsewhere than on Linux it is the time of day, which may be set.
    now = perf_counter()
    return now, os.times().elapsed if sys.platform == "linux" else now


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
