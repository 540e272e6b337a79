"""What must hold for every model, whatever it is: shapes, ranges, seeds, labels, and state that survives."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any

import torch
from torch import Tensor

from ganbench.errors import DivergedError, RequestError
from ganbench.model import Batch, DataSpec, Model
from ganbench.training.hyperparameters import make_config
from ganbench.training.sampling import SampleError, draw
from ganbench.training.seeding import seed_everything
from ganbench.training.state import capture, random_states, restore, set_random_states
from ganbench.training.state_codec import Node, UnsavableError

N, BATCH, STEPS = 64, 8, 3
CPU = torch.device("cpu")

Kind = type[Model]


class _Case:
    """A model class with what it is built for; builds and trains it the same way each time."""

    def __init__(self, kind: Kind, shape: tuple[int, ...], classes: int, settings: dict[str, Any]) -> None:
        self.kind, self.settings = kind, settings
        self.data = DataSpec(shape, classes, "made-up", N)
        generator = torch.Generator().manual_seed(1)
        self.images = torch.rand(N, *shape, generator=generator) * 2 - 1
        self.labels = torch.arange(N) % classes if classes else None

    def built(self) -> Model:
        seed_everything(0)
        try:
            return self.kind(self.data, make_config(self.kind, self.settings))
        except RequestError as error:
            raise AssertionError(str(error)) from error

    def batch(self, number: int) -> Batch:
        part = slice(number * BATCH % N, number * BATCH % N + BATCH)
        return Batch(self.images[part].clone(), None if self.labels is None else self.labels[part])

    def steps(self, model: Model, first: int = 0, last: int = STEPS) -> list[dict[str, float]]:
        """Make updates and return their losses."""
        if type(model).step is Model.step:
            return []
        model.train()
        return [
            {name: float(loss.detach()) for name, loss in model.step(self.batch(at)).items()}
            for at in range(first, last)
        ]

    @cached_property
    def undisturbed(self) -> list[dict[str, float]]:
        """The losses of a model that nothing happens to."""
        return self.steps(self.built(), 0, 2 * STEPS)

    def trained(self) -> Model:
        """Return a model after a few updates, and what follows them."""
        return self.trained_with_losses()[0]

    def trained_with_losses(self) -> tuple[Model, list[dict[str, float]]]:
        model = self.built()
        losses = self.steps(model)
        model.finish(Batch(self.images, self.labels))
        return model, losses

    def drawn(self, model: Model, n: int, seed: int = 0) -> Tensor:
        labels = torch.arange(n) % self.data.classes if model.conditional and self.data.classes else None
        try:
            return draw(model, n, labels, seed)
        except (SampleError, DivergedError) as error:
            raise AssertionError(f"{model.name}: {error}") from error


class Check:
    """A rule that a model class keeps or breaks: called, it raises AssertionError, in one line, where it is broken."""

    def __init__(self, rule: Callable[[_Case], None]) -> None:
        self.rule = rule
        update_wrapper(self, rule)

    def __call__(self, kind: Kind, shape: tuple[int, ...] = (1, 28, 28), classes: int = 10, **settings: Any) -> None:
        self.rule(_Case(kind, shape, classes, settings))


@Check
def has_a_config_of_typed_fields_with_defaults(case: _Case) -> None:
    """`Config` is a frozen dataclass that can be made without arguments."""
    config = case.kind.Config
    assert dataclasses.is_dataclass(config), f"{case.kind.__name__}.Config is no dataclass"
    assert config.__dataclass_params__.frozen, f"{case.kind.__name__}.Config is not frozen"  # type: ignore[attr-defined]
    make_config(case.kind, {})
    case.built()


@Check
def leaves_the_world_alone(case: _Case) -> None:
    """Building and training change no global setting of torch."""

    def world() -> tuple[Any, ...]:
        return (
            torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_device(),
            torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
        )  # fmt: skip

    before = world()
    case.trained()
    assert world() == before, f"{case.kind.name}: changed torch's global settings from {before} to {world()}"


@Check
def returns_finite_losses(case: _Case) -> None:
    """`step` returns named 0-d tensors, finite, and leaves the batch as it was."""
    model = case.built()
    if type(model).step is Model.step:
        return
    model.train()
    batch = case.batch(0)
    images = batch.images.clone()
    losses = model.step(batch)
    what = type(losses).__name__
    assert isinstance(losses, dict) and losses, f"{model.name}: step returned {what}, not losses by name"
    for name, loss in losses.items():
        assert isinstance(loss, Tensor) and loss.ndim == 0, f"{model.name}: loss {name!r} is no 0-d tensor"
        assert bool(torch.isfinite(loss)), f"{model.name}: loss {name!r} is {float(loss)}"
    assert torch.equal(batch.images, images), f"{model.name}: step changed the images it was given"


@Check
def samples_any_number(case: _Case) -> None:
    """`sample` returns as many images as asked for, of the data's shape, within [-1, 1]."""
    model = case.trained()
    for n in (1, 7, 4 * BATCH):
        assert len(case.drawn(model, n)) == n


@Check
def is_decided_by_its_seed(case: _Case) -> None:
    """The same seeds give the same losses and samples; another seed gives other samples."""
    (one, losses), (other, repeated) = case.trained_with_losses(), case.trained_with_losses()
    assert losses == repeated, f"{case.kind.name}: the same seed gave other losses"
    first, again = (case.drawn(model, 7) for model in (one, other))
    assert torch.equal(first, again), f"{one.name}: the same seed gave other samples"
    assert not torch.equal(first, case.drawn(one, 7, seed=1)), f"{one.name}: another seed gave the same samples"


@Check
def is_not_disturbed_by_sampling(case: _Case) -> None:
    """Training goes on as if no samples had been drawn in between: a curve must not change its model."""
    watched = case.built()
    found = case.steps(watched, 0, STEPS)
    if found:
        case.drawn(watched, 7)
    found += case.steps(watched, STEPS, 2 * STEPS)
    assert found == case.undisturbed, f"{watched.name}: sampling changed its training"


@Check
def samples_the_same_from_its_checkpoint(case: _Case) -> None:
    """A model that was trained, saved and loaded gives the same samples."""
    model = case.trained()
    state = _captured(model, trained=True)
    expected = case.drawn(model, 7)
    loaded = case.built()
    _restored(loaded, state)
    assert torch.equal(case.drawn(loaded, 7), expected), f"{model.name}: loaded from a checkpoint it samples otherwise"


@Check
def goes_on_from_a_checkpoint(case: _Case) -> None:
    """Training that was interrupted goes on exactly: nothing that `step` changes is missing from a checkpoint."""
    model = case.built()
    found = case.steps(model, 0, STEPS)
    state, states = _captured(model), random_states(CPU)
    again = case.built()
    _restored(again, state)
    set_random_states(states, CPU)
    found += case.steps(again, STEPS, 2 * STEPS)
    assert found == case.undisturbed, (
        f"{model.name}: gone on from a checkpoint its losses are others: hand over in extra_state() what step changes"
    )


def _captured(model: Model, *, trained: bool = False) -> Node:
    try:
        return copy.deepcopy(capture(model, trained=trained))
    except UnsavableError as error:
        raise AssertionError(f"{model.name}: {error}: hand it over in extra_state()") from error


def _restored(model: Model, state: Node) -> None:
    try:
        restore(model, state)
    except UnsavableError as error:
        raise AssertionError(f"{model.name}: {error}") from error


CHECKS: tuple[Check, ...] = (
    has_a_config_of_typed_fields_with_defaults,
    leaves_the_world_alone,
    returns_finite_losses,
    samples_any_number,
    is_decided_by_its_seed,
    is_not_disturbed_by_sampling,
    samples_the_same_from_its_checkpoint,
    goes_on_from_a_checkpoint,
)


def check_model(kind: Kind, shape: tuple[int, ...] = (1, 28, 28), classes: int = 10, **settings: Any) -> None:
    """Run every check on a model class, for data of a shape, (C, H, W) or (D,), and so many classes (0: no labels).

    `settings` are hyper-parameters. Raises AssertionError, in one line, for the first that does not hold.
    """
    case = _Case(kind, shape, classes, settings)
    for check in CHECKS:
        check.rule(case)
