"""The loop keeps to the budget, calls back in order, bills what it should, and sees every NaN."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench.budget import Budget
from ganbench.errors import DivergedError
from ganbench.model import Batch, DataSpec, Model
from ganbench.training import loop, phase_timer
from ganbench.training.budget_clock import OVERSHOOT, BudgetClock
from ganbench.training.loop import Loop, LossTracker, Progress
from ganbench.training.phase_timer import PhaseTimer

CPU = torch.device("cpu")
IMAGES = torch.zeros(40, 1, 2, 2, dtype=torch.uint8)


class Counter(Model):
    """Counts its steps; `losses` of the number of the step is what a step returns."""

    name = "counter"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 10

    def __init__(self, losses: Callable[[int], dict[str, float]] = lambda step: {"loss": 1.0}) -> None:
        super().__init__(DataSpec((1, 2, 2), 0, "none", 40), self.Config())
        self.losses, self.steps, self.images, self.modes = losses, 0, 0, set[bool]()

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.steps += 1
        self.images += len(batch.images)
        self.modes.add(self.training)
        return {name: torch.tensor(value) for name, value in self.losses(self.steps).items()}


def run(model: Model, budget: str, **options: Any) -> Progress:
    timer = options.pop("timer", None) or PhaseTimer(CPU)
    with timer.phase("train"):
        made = {name: options.pop(name) for name in ("precision", "milestones") if name in options}
        return Loop(model, IMAGES, None, Budget.parse(budget), timer, seed=0, **made).run(**options)


@pytest.mark.parametrize(
    ("budget", "steps"), [("7steps", 7), ("39img", 3), ("40img", 4), ("1kimg,5steps", 5), ("25img,5steps", 2)]
)
def test_counts_are_kept_to_exactly(budget: str, steps: int) -> None:
    model = Counter()
    end = run(model, budget)
    assert (model.steps, model.images) == (end.steps, end.images) == (steps, 10 * steps)


def test_a_config_without_batch_size_has_batches_of_64() -> None:
    class Plain(Counter):
        @dataclass(frozen=True)
        class Config:
            pass

    images = torch.zeros(130, 1, 2, 2, dtype=torch.uint8)
    timer, model = PhaseTimer(CPU), Plain()
    with timer.phase("train"):
        Loop(model, images, None, Budget.parse("3steps"), timer, seed=0).run()
    assert (model.steps, model.images) == (3, 3 * 64)


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for module in (loop, phase_timer):
            monkeypatch.setattr(module, "perf_counter", lambda: self.now)

    def tick(self, seconds: float) -> None:
        self.now += seconds


def test_a_time_budget_bills_steps_and_what_came_before_but_no_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    model = Counter(lambda step: clock.tick(1.0) or {"loss": 1.0})
    timer = PhaseTimer(CPU)

    def evaluate(progress: Progress) -> None:
        with timer.phase("evaluate"):
            clock.tick(100.0)

    with timer.phase("train"):
        clock.tick(2.0)  # building the model
        timed = Loop(model, IMAGES, None, Budget(seconds=10.0), timer, seed=0, milestones=(0.25, 0.5))
        end = timed.run(at_milestone=evaluate)
    assert model.steps == 8
    assert end.seconds == 10.0
    assert timer.by_phase() == {"train": 10.0, "evaluate": 200.0}


def test_milestones_come_in_order_at_their_shares() -> None:
    model, seen = Counter(), list[Progress]()

    def look(progress: Progress) -> None:
        seen.append(progress)
        model.eval()

    run(model, "16steps", milestones=(0.125, 0.25, 0.5), at_milestone=look)
    assert [progress.steps for progress in seen] == [2, 4, 8]
    assert [progress.share for progress in seen] == [0.125, 0.25, 0.5]
    assert [progress.images for progress in seen] == [20, 40, 80]
    assert all(progress.losses == {"loss": 1.0} for progress in seen)
    assert model.modes == {True}


def test_milestones_passed_in_one_step_are_one_call() -> None:
    seen = list[int]()
    run(Counter(), "2steps", milestones=(0.1, 0.2, 0.4), at_milestone=lambda progress: seen.append(progress.steps))
    assert seen == [1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("bad_step", [1, 3, 6])
def test_one_bad_loss_ends_training_even_between_two_looks(value: float, bad_step: int) -> None:
    model = Counter(lambda step: {"fine": 1.0, "critic": value if step == bad_step else 1.0})
    with pytest.raises(DivergedError, match="loss 'critic' became"):
        run(model, "6steps")


def test_opposite_infinities_do_not_cancel() -> None:
    with pytest.raises(DivergedError):
        run(Counter(lambda step: {"loss": float("inf") * (-1) ** step}), "6steps")


@pytest.mark.parametrize("every", [-1.0, 1e9])
def test_losses_at_a_milestone_do_not_depend_on_when_reports_were_made(
    monkeypatch: pytest.MonkeyPatch, every: float
) -> None:
    monkeypatch.setattr(loop, "REPORT_EVERY", every)
    seen = list[dict[str, float]]()
    model = Counter(lambda step: {"loss": float(step)})
    end = run(model, "8steps", milestones=(0.5,), at_milestone=lambda progress: seen.append(progress.losses))
    assert seen == [{"loss": 2.5}]
    assert end.losses == {"loss": 6.5}


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        (None, "step returned NoneType, not a dict"),
        ({"critic": 0.5}, "loss 'critic' as float: return a 0-d tensor"),
        ({"critic": None}, "loss 'critic' as NoneType"),
        ({"critic": torch.zeros(3)}, r"loss 'critic' as a tensor of shape \(3,\)"),
    ],
    ids=["nothing", "float", "none", "vector"],
)
def test_losses_of_another_form_are_named(losses: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        LossTracker().add(losses)


def test_losses_are_brought_to_the_host_exactly_and_together() -> None:
    tracker, again = LossTracker(), LossTracker()
    for value in (0.1, 0.2):
        tracker.add({"a": torch.tensor(value), "b": torch.tensor(value, dtype=torch.float64)})
    again.load(tracker.state(), CPU)
    for each in (tracker, again):
        each.add({"a": torch.tensor(0.3), "b": torch.tensor(0.3, dtype=torch.float64)})
    assert again.peek() == tracker.peek()
    assert again.reset() == tracker.reset() != {}
    assert again.peek() == again.state() == {}


def test_a_loss_returned_every_third_step_is_averaged_over_those_steps() -> None:
    end = run(Counter(lambda step: {"critic": 1.0} | ({"generator": 4.0} if step % 3 == 0 else {})), "6steps")
    assert end.losses == {"critic": 1.0, "generator": 4.0}


def test_reports_tell_where_training_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, seen = Clock(monkeypatch), list[Progress]()
    run(Counter(lambda step: clock.tick(1.0) or {"loss": 1.0}), "4steps", report=seen.append)
    assert [progress.steps for progress in seen][:4] == [1, 2, 3, 4]
    assert seen[-1].share == 1.0


@pytest.mark.parametrize(
    ("wanted", "allowed", "inside"), [("bf16", True, True), ("bf16", False, False), ("fp32", True, False)]
)
def test_autocast_surrounds_a_step_where_model_and_precision_want_it(wanted: str, allowed: bool, inside: bool) -> None:
    seen = list[bool]()
    model = Counter(lambda step: seen.append(torch.is_autocast_enabled("cpu")) or {"loss": 1.0})
    model.autocast = allowed
    run(model, "2steps", precision=wanted)
    assert seen == [inside] * 2
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("stop", [1, 3, 4, 7])
def test_a_loop_goes_on_where_another_was(stop: int) -> None:
    class Stop(Exception):
        pass

    def loop_of(model: Model) -> Loop:
        return Loop(model, IMAGES, None, Budget(steps=8), PhaseTimer(CPU), seed=0, milestones=(0.25, 0.5))

    def seen(model: Model, run: Loop, at: int = 0) -> list[tuple[int, dict[str, float]]]:
        points = list[tuple[int, dict[str, float]]]()

        def pause() -> None:
            raise Stop

        with contextlib.suppress(Stop):
            end = run.run(
                at_milestone=lambda progress: points.append((progress.steps, progress.losses)),
                due=lambda now: model.steps == at,
                pause=pause,
            )
            points.append((end.steps, end.losses))
        return points

    def model() -> Counter:
        return Counter(lambda step: {"loss": float(step), "rare": float(step)} if step % 3 == 0 else {"loss": step})

    whole = model()
    expected = seen(whole, loop_of(whole))
    first, second = model(), model()
    stopped, again = loop_of(first), loop_of(second)
    points = seen(first, stopped, stop)
    second.steps = first.steps
    again.load(stopped.state())
    assert again.progress({}).images == 10 * stop
    assert points + seen(second, again) == expected
    assert expected[-1] == (8, {"loss": 6.5, "rare": 6.0})


class Device:
    """A device that works through steps behind a host that only hands them over, and counts how often it is awaited."""

    def __init__(self, seconds: Callable[[int], float], host_seconds: float) -> None:
        self.seconds, self.host_seconds = seconds, host_seconds
        self.host = self.done = 0.0
        self.readings = self.steps = 0

    def step(self) -> None:
        self.steps += 1
        self.host += self.host_seconds
        self.done = max(self.done, self.host) + self.seconds(self.steps)

    def awaited(self) -> float:
        self.readings += 1
        self.host = max(self.host, self.done)
        return self.host


@pytest.mark.parametrize(
    ("limit", "seconds", "host_seconds"),
    [
        (10.0, lambda step: 0.001, 0.0001),
        (10.0, lambda step: 0.001, 0.002),
        (60.0, lambda step: 3.0 if step == 1 else 0.01, 0.001),
        (60.0, lambda step: 0.01 if step % 5 else 0.05, 0.001),
        (20.0, lambda step: 0.5, 0.001),
        (3600.0, lambda step: 0.02, 0.001),
    ],
    ids=["fast", "host-bound", "slow at first", "uneven", "slow", "long"],
)
def test_a_time_budget_is_read_rarely_and_kept_to_one_percent(
    limit: float, seconds: Callable[[int], float], host_seconds: float
) -> None:
    device, clock, spent = Device(seconds, host_seconds), BudgetClock(limit), 0.0
    clock.read(0, 0.0, 0.0)
    while spent < limit:
        device.step()
        if clock.due(device.steps, device.host):
            spent = device.awaited()
            clock.read(device.steps, device.host, spent)
    longest = max(seconds(step) for step in range(2, 7))
    assert spent <= (1 + OVERSHOOT) * limit + longest
    assert device.readings <= min(device.steps, 40 + 2.5 / OVERSHOOT)


def test_without_a_time_budget_the_device_is_not_awaited_for_its_clock() -> None:
    clock = BudgetClock(None)
    clock.read(1, 1.0, 1.0)
    assert not any(clock.due(step, float(step)) for step in range(10**4))


def test_off_the_cpu_a_loop_reads_its_clock_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, timer = Clock(monkeypatch), PhaseTimer(CPU)
    monkeypatch.setattr(loop, "REPORT_EVERY", 1e9)
    readings, settle = [0], timer._settle

    def counted() -> None:
        readings[0] += 1
        settle()

    monkeypatch.setattr(timer, "_settle", counted)
    model = Counter(lambda step: clock.tick(0.01) or {"loss": 1.0})
    with timer.phase("train"):
        timed = Loop(model, IMAGES, None, Budget(seconds=20.0), timer, seed=0)
        timed._clock = BudgetClock(20.0)  # as on a GPU
        end = timed.run()
    assert 20.0 <= end.seconds <= 20.2
    assert readings[0] < 150 < model.steps
