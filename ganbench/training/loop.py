"""The training loop: one model, one budget, one clock; it knows nothing of evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganbench.budget import Budget
from ganbench.errors import DivergedError
from ganbench.model import BATCH_SIZE, Model
from ganbench.training.batches import Batches
from ganbench.training.meter import Meter
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


class LossBook:
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

    def close(self) -> dict[str, float]:
        """Return the means of all since the book was opened or last closed, and start anew; raise as `look` does."""
        self._last_look = {}
        means = self.look()
        self._sums, self._counts, self._last_look = {}, {}, {}
        return means


def train(
    model: Model,
    images: Tensor,
    labels: Tensor | None,
    budget: Budget,
    meter: Meter,
    *,
    seed: int,
    precision: str = "fp32",
    milestones: tuple[float, ...] = (),
    at_milestone: Callable[[Progress], None] = lambda progress: None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train until the budget runs out, within the meter's phase ``train`` that the caller has opened.

    A batch that would go beyond the image limit is not handed out. `milestones` are shares of the budget in
    rising order; the callback at each runs with the model as it is, and whatever phase it opens is not billed.
    Raises `DivergedError` where a loss is not finite.
    """
    device = images.device
    batch_size: int = getattr(model.config, "batch_size", BATCH_SIZE)
    batches = iter(Batches(images, labels, batch_size, seed))
    book, losses = LossBook(), dict[str, float]()
    steps, seconds, due, last_look = 0, meter.seconds("train"), list(milestones), time.perf_counter()
    context = autocast(device, precision if model.autocast else "fp32")
    model.train()

    def progress(losses: dict[str, float]) -> Progress:
        return Progress(steps * batch_size, steps, seconds, share(), losses)

    def share() -> float:
        return budget.share(images=steps * batch_size, steps=steps, seconds=seconds)

    while budget.admits(images=(steps + 1) * batch_size, steps=steps + 1, seconds=seconds):
        with context:
            book.add(model.step(next(batches)))
        steps += 1
        now = time.perf_counter()
        # Off the CPU a step returns before it is done, so the host's clock alone can't keep a time budget.
        if budget.seconds is not None and (device.type == "cpu" or steps % 16 == 0):
            seconds = meter.seconds("train")
        look = now - last_look > REPORT_EVERY
        reached = bool(due) and share() >= due[0]
        if look or reached:
            seconds, last_look = meter.seconds("train"), now
            report(progress(book.look()))
            if reached:
                due = [milestone for milestone in due if milestone > share()]
                losses = book.close()
                at_milestone(progress(losses))
                model.train()
                last_look = time.perf_counter()
    seconds = meter.seconds("train")
    end = progress(book.close() or losses)
    report(end)
    return end
