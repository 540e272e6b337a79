"""The training loop: one model, one budget, one clock; it knows nothing of evaluation, nor of files."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganbench.budget import Budget
from ganbench.errors import DivergedError
from ganbench.model import BATCH_SIZE, Model
from ganbench.training.batches import Batches
from ganbench.training.phase_timer import PhaseTimer
from ganbench.training.precision import autocast

REPORT_EVERY = 0.5
"""Seconds between two looks at the clock and the losses: the only time the host waits for the device."""


@dataclass(frozen=True)
class Progress:
    """Where training stands.

    `losses` are means over steps: for a report those since the last one, at a milestone those since the milestone
    before. The clock decides when reports are made, so only the latter come out the same every time.
    """

    images: int
    steps: int
    seconds: float
    share: float
    losses: dict[str, float] = field(default_factory=dict)


class LossTracker:
    """Sums losses on the device, in float64; a NaN or an inf in any step stays visible in the sum."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._last_look: dict[str, tuple[float, int]] = {}

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, loss in losses.items():
            total = self._sums.get(name)
            self._sums[name] = (
                loss.detach().to(torch.float64, copy=True) if total is None else total.add_(loss.detach())
            )
            self._counts[name] = self._counts.get(name, 0) + 1

    def look(self) -> dict[str, float]:
        """Return the means since the last look; raise `DivergedError` where a loss was not finite."""
        found = {name: (float(total), self._counts[name]) for name, total in self._sums.items()}
        means = {}
        for name, (total, count) in found.items():
            if not math.isfinite(total):
                raise DivergedError(f"loss {name!r} became {total} within its last {count} values")
            before, counted = self._last_look.get(name, (0.0, 0))
            if count > counted:
                means[name] = (total - before) / (count - counted)
        self._last_look = found
        return means

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold; looks are for the eye alone."""
        return {name: (total.to("cpu", copy=True), self._counts[name]) for name, total in self._sums.items()}

    def load(self, state: dict[str, Any], device: torch.device) -> None:
        """Go on from a `state`."""
        self._sums = {name: total.to(device, copy=True) for name, (total, _) in state.items()}
        self._counts = {name: count for name, (_, count) in state.items()}
        self._last_look = {}

    def close(self) -> dict[str, float]:
        """Return the means of all since the book was opened or last closed, and start anew; raise as `look` does."""
        self._last_look = {}
        means = self.look()
        self._sums, self._counts, self._last_look = {}, {}, {}
        return means


class Loop:
    """Training that can stop after any step and go on from there, the same to the last bit.

    Parameters: a model; the training set, images or points as `Batches` takes them and int64 labels (N,) or None, on
    the training device; the budget and the clock that it is read from; `milestones`, shares of the budget in rising
    order.
    """

    def __init__(
        self,
        model: Model,
        images: Tensor,
        labels: Tensor | None,
        budget: Budget,
        meter: PhaseTimer,
        *,
        seed: int,
        precision: str = "fp32",
        milestones: tuple[float, ...] = (),
    ) -> None:
        self._model, self._budget, self._meter, self._device = model, budget, meter, images.device
        self._size: int = getattr(model.config, "batch_size", BATCH_SIZE)
        self._batches = Batches(images, labels, self._size, seed)
        self._context = autocast(images.device, precision if model.autocast else "fp32")
        self._book, self._losses = LossTracker(), dict[str, float]()
        self._steps, self._seconds, self._due = 0, meter.seconds("train"), list(milestones)

    def state(self) -> dict[str, Any]:
        """Return where the loop stands, between two steps: tensors and plain values. The model's state is not in it."""
        return {
            "steps": self._steps, "due": list(self._due), "losses": dict(self._losses),
            "book": self._book.state(), "batches": self._batches.state(),
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of a loop over the same images with the same settings; the clock is the caller's."""
        self._steps, self._due, self._losses = state["steps"], list(state["due"]), dict(state["losses"])
        self._book.load(state["book"], self._device)
        self._batches.load(state["batches"])
        self._seconds = self._meter.seconds("train")

    def progress(self, losses: dict[str, float]) -> Progress:
        """Return where training stands, with `losses`."""
        return Progress(self._steps * self._size, self._steps, self._seconds, self._share(), losses)

    def _share(self) -> float:
        return self._budget.share(images=self._steps * self._size, steps=self._steps, seconds=self._seconds)

    def _goes_on(self) -> bool:
        steps = self._steps + 1
        return self._budget.admits(images=steps * self._size, steps=steps, seconds=self._seconds)

    def run(
        self,
        *,
        at_milestone: Callable[[Progress], None] = lambda progress: None,
        report: Callable[[Progress], None] = lambda progress: None,
        due: Callable[[float], bool] = lambda now: False,
        pause: Callable[[], None] = lambda: None,
    ) -> Progress:
        """Train until the budget runs out, within the meter's phase ``train`` that the caller has opened.

        A batch that would go beyond the image limit is not handed out. The callback at each milestone runs with the
        model as it is, and whatever phase it opens is not billed. After a step where `due` (given the host's clock)
        says so, `pause` is called, which may take the `state` or raise. Raises `DivergedError` where a loss is not
        finite.
        """
        model, meter, on_cpu = self._model, self._meter, self._device.type == "cpu"
        batches, last_look = iter(self._batches), time.perf_counter()
        model.train()
        while self._goes_on():
            with self._context:
                self._book.add(model.step(next(batches)))
            self._steps += 1
            now = time.perf_counter()
            # Off the CPU a step returns before it is done, so the host's clock alone can't keep a time budget.
            if self._budget.seconds is not None and (on_cpu or self._steps % 16 == 0):
                self._seconds = meter.seconds("train")
            reached = bool(self._due) and self._share() >= self._due[0]
            if now - last_look > REPORT_EVERY or reached:
                self._seconds, last_look = meter.seconds("train"), now
                report(self.progress(self._book.look()))
                if reached:
                    share = self._share()
                    self._due = [milestone for milestone in self._due if milestone > share]
                    self._losses = self._book.close()
                    at_milestone(self.progress(self._losses))
                    model.train()
                    last_look = time.perf_counter()
            if due(now):
                self._seconds = meter.seconds("train")
                pause()
        self._seconds = meter.seconds("train")
        end = self.progress(self._book.close() or self._losses)
        report(end)
        return end
