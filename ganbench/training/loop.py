"""The training loop: one model, one budget, one clock; it knows nothing of evaluation, nor of files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter  # bound here: what a plugin puts in its place in `time` is not looked at
from typing import Any

import torch
from torch import Tensor

from ganbench.budget import Budget
from ganbench.errors import DivergedError
from ganbench.model import BATCH_SIZE, Model
from ganbench.training.batches import Batches
from ganbench.training.budget_clock import BudgetClock
from ganbench.training.phase_timer import PhaseTimer
from ganbench.training.precision import autocast

REPORT_EVERY = 0.5
"""Seconds between two reports of the clock and the losses, for which the host waits for the device."""


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
        self._peeked: dict[str, tuple[float, int]] = {}

    def add(self, losses: dict[str, Tensor]) -> None:
        """Count a step's losses; raise `TypeError` where they are not 0-d tensors by name."""
        if not isinstance(losses, dict):
            raise TypeError(f"step returned {type(losses).__name__}, not a dict of losses by name")
        for name, loss in losses.items():
            if not isinstance(loss, Tensor) or loss.ndim:
                what = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
                raise TypeError(f"step returned loss {name!r} as {what}: return a 0-d tensor, such as loss.mean()")
            total = self._sums.get(name)
            self._sums[name] = (
                loss.detach().to(torch.float64, copy=True) if total is None else total.add_(loss.detach())
            )
            self._counts[name] = self._counts.get(name, 0) + 1

    def peek(self) -> dict[str, float]:
        """Return the means since the last peek; raise `DivergedError` where a loss was not finite."""
        found = {name: (total, self._counts[name]) for name, total in self._totals().items()}
        means = {}
        for name, (total, count) in found.items():
            if not math.isfinite(total):
                raise DivergedError(f"loss {name!r} became {total} within its last {count} values")
            before, counted = self._peeked.get(name, (0.0, 0))
            if count > counted:
                means[name] = (total - before) / (count - counted)
        self._peeked = found
        return means

    def reset(self) -> dict[str, float]:
        """Return the means since the last reset, and start anew; raise as `peek` does."""
        self._peeked = {}
        means = self.peek()
        self._sums, self._counts, self._peeked = {}, {}, {}
        return means

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold; peeks are for the eye alone."""
        return {name: (total, self._counts[name]) for name, total in self._totals().items()}

    def load(self, state: dict[str, Any], device: torch.device) -> None:
        """Go on from a `state`."""
        self._sums = {name: torch.tensor(total, dtype=torch.float64).to(device) for name, (total, _) in state.items()}
        self._counts = {name: count for name, (_, count) in state.items()}
        self._peeked = {}

    def _totals(self) -> dict[str, float]:
        """Return the sums, brought to the host in one copy."""
        if not self._sums:
            return {}
        sums = list(self._sums.values())
        return dict(zip(self._sums, torch.stack([each.to(sums[0].device) for each in sums]).tolist(), strict=True))


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
        timer: PhaseTimer,
        *,
        seed: int,
        precision: str = "fp32",
        milestones: tuple[float, ...] = (),
    ) -> None:
        self._model, self._budget, self._timer, self._device = model, budget, timer, images.device
        # On the CPU a step is done when it returns, and reading the clock costs nothing.
        self._clock = None if images.device.type == "cpu" else BudgetClock(budget.seconds)
        self._size: int = getattr(model.config, "batch_size", BATCH_SIZE)
        self._batches = Batches(images, labels, self._size, seed)
        self._context = autocast(images.device, precision if model.autocast else "fp32")
        self._tracker, self._losses = LossTracker(), dict[str, float]()
        self._steps, self._seconds, self._due = 0, timer.seconds("train"), list(milestones)

    def state(self) -> dict[str, Any]:
        """Return where the loop stands, between two steps: tensors and plain values. The model's state is not in it."""
        return {
            "steps": self._steps, "due": list(self._due), "losses": dict(self._losses),
            "tracker": self._tracker.state(), "batches": self._batches.state(),
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of a loop over the same images with the same settings; the clock is the caller's."""
        self._steps, self._due, self._losses = state["steps"], list(state["due"]), dict(state["losses"])
        self._tracker.load(state["tracker"], self._device)
        self._batches.load(state["batches"])
        self._read_clock(perf_counter())

    def progress(self, losses: dict[str, float]) -> Progress:
        """Return where training stands, with `losses`."""
        return Progress(self._steps * self._size, self._steps, self._seconds, self._share(), losses)

    def _share(self) -> float:
        return self._budget.share(images=self._steps * self._size, steps=self._steps, seconds=self._seconds)

    def _read_clock(self, now: float) -> None:
        """Wait for the device, and take the seconds that training has had."""
        self._seconds = self._timer.seconds("train")
        if self._clock is not None:
            self._clock.read(self._steps, now, self._seconds)

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
        """Train until the budget runs out, within the timer's phase ``train`` that the caller has opened.

        A batch that would go beyond the image limit is not handed out. The callback at each milestone runs with the
        model as it is, and whatever phase it opens is not billed. After a step where `due` (given the host's clock)
        says so, `pause` is called, which may take the `state` or raise. Raises `DivergedError` where a loss is not
        finite.
        """
        model, timed = self._model, self._budget.seconds is not None
        batches, last_report = iter(self._batches), perf_counter()
        self._read_clock(last_report)
        model.train()
        while self._goes_on():
            with self._context:
                self._tracker.add(model.step(next(batches)))
            self._steps += 1
            now = perf_counter()
            if timed and (self._clock is None or self._clock.due(self._steps, now)):
                self._read_clock(now)
            reached = bool(self._due) and self._share() >= self._due[0]
            if now - last_report > REPORT_EVERY or reached:
                last_report = now
                self._read_clock(now)
                report(self.progress(self._tracker.peek()))
                if reached:
                    share = self._share()
                    self._due = [milestone for milestone in self._due if milestone > share]
                    self._losses = self._tracker.reset()
                    at_milestone(self.progress(self._losses))
                    model.train()
                    last_report = perf_counter()
            if due(now):
                self._read_clock(now)
                pause()
        self._read_clock(perf_counter())
        end = self.progress(self._tracker.reset() or self._losses)
        report(end)
        return end

    def further(self, steps: int) -> Iterator[None]:
        """Make so many steps as `run` does, and yield after each; budget, clock and losses are left alone."""
        batches = iter(self._batches)
        self._model.train()
        for _ in range(steps):
            with self._context:
                self._model.step(next(batches))
            yield
