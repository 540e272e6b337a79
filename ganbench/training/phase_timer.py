"""The clock of a run: it stops while samples are drawn or files are written, and is read once the device is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, process_time  # bound here: what a plugin puts in their places is not used

import torch
from torch.cuda import synchronize


class PhaseTimer:
    """Seconds by phase. Only the phase ``train`` is billed to the budget; phases do not nest.

    Use as ``with meter.phase("evaluate"): ...``. A phase that is entered while another runs pauses that one.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._spent: dict[str, float] = {}
        self._running: list[str] = []
        self._since = 0.0
        self._own = self._processor = self._processor_since = 0.0

    def _settle(self) -> None:
        """Book the time since the last reading on the phase that is running."""
        if self._device.type == "cuda":
            synchronize(self._device)
        now, processor = perf_counter(), process_time()
        if self._running:
            name = self._running[-1]
            self._spent[name] = self._spent.get(name, 0.0) + now - self._since
            if name == "train":
                self._own += now - self._since
                self._processor += processor - self._processor_since
        self._since, self._processor_since = now, processor

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._settle()
        self._running.append(name)
        try:
            yield
        finally:
            self._settle()
            self._running.pop()

    def seconds(self, name: str) -> float:
        """Return what a phase has taken so far."""
        self._settle()
        return self._spent.get(name, 0.0)

    def processor_share(self) -> float | None:
        """Return how much of a core this process had while it trained, None where it has not trained.

        One thread that nothing disturbs has 1; less where it waited for its core, which others had.
        """
        self._settle()
        return self._processor / self._own if self._own > 0 else None  # a clock may have been set back

    def by_phase(self) -> dict[str, float]:
        """Return every phase's seconds."""
        self._settle()
        return dict(self._spent)

    def load(self, seconds: dict[str, float]) -> None:
        """Go on from what phases took in an earlier process.

        What this one has billed to training so far, which is building the model once more, is left out.
        """
        self._settle()
        self._spent.pop("train", None)
        for name, spent in seconds.items():
            self._spent[name] = self._spent.get(name, 0.0) + spent
