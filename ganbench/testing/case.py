"""A model class under test: built, trained and sampled the same way each time, and watched meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ganbench.errors import DivergedError, RequestError
from ganbench.model import Batch, DataSpec, Model
from ganbench.training.hyperparameters import make_config
from ganbench.training.precision import autocast
from ganbench.training.process_guard import ProcessGuard, TamperedError
from ganbench.training.sampling import SampleError, draw, seeded
from ganbench.training.seeding import seed_everything
from ganbench.training.state import capture, random_states, restore, set_random_states
from ganbench.training.state_codec import Node, UnsavableError

N, BATCH, STEPS, SAMPLES = 64, 8, 3, 7
"""Training images, images a step, steps before an interruption (and after it), samples that are compared."""
CPU = torch.device("cpu")

Kind = type[Model]
Losses = list[dict[str, float]]


@dataclass
class Training:
    """A model, and the losses of its steps so far."""

    model: Model
    losses: Losses


@dataclass
class Uninterrupted(Training):
    """Twice `STEPS` steps at a stretch, and where the generators of random numbers stood then."""

    random: Node


@dataclass
class Interrupted:
    """A training that was saved and sampled after `STEPS` steps, and then went on to twice as many.

    `state` is what was saved, or why it could not be.
    """

    losses: Losses
    state: Node | UnsavableError
    random: Node


class Case:
    """A model class with the data that it is built for, and trainings that several checks share.

    `shape` is (C, H, W) or (D,), `classes` is 0 where there are no labels, `settings` are hyper-parameters. Whatever a
    model does here is followed by a look at the process's global state and, for a step, at its losses and its batch:
    AssertionError, in one line, where a rule is broken.
    """

    def __init__(self, kind: Kind, shape: tuple[int, ...], classes: int, settings: dict[str, Any]) -> None:
        self.kind, self.settings = kind, settings
        self.name = getattr(kind, "name", kind.__name__)
        self.data = DataSpec(shape, classes, "made-up", N)
        generator = torch.Generator().manual_seed(1)
        self.images = torch.rand(N, *shape, generator=generator) * 2 - 1
        self.labels = torch.arange(N) % classes if classes else None
        self.trains = kind.step is not Model.step

    @cached_property
    def guard(self) -> ProcessGuard:
        """The global state as it was before the model was first built."""
        return ProcessGuard()

    def watch(self, during: str) -> None:
        try:
            self.guard.check(during)
        except TamperedError as error:
            raise AssertionError(f"{self.name}: {error}") from error

    # What is done to a model.

    def built(self) -> Model:
        """Return a new model, always from the same seed."""
        assert self.guard
        seed_everything(0)
        try:
            model = self.kind(self.data, make_config(self.kind, self.settings))
        except RequestError as error:
            raise AssertionError(str(error)) from error
        self.watch("__init__")
        return model

    def steps(self, model: Model, first: int = 0, last: int = STEPS, precision: str = "fp32") -> Losses:
        """Make the steps from `first` up to `last`, as the training loop does, and return their losses."""
        if not self.trains:
            return []
        context, found = autocast(CPU, precision), []
        model.train()
        for number in range(first, last):
            batch, untouched = self.batch(number), self.batch(number)
            with context:
                losses = model.step(batch)
            self.watch("step")
            found.append(self._checked(losses, f"in step {number + 1}"))
            same = torch.equal(batch.images, untouched.images)
            if batch.labels is not None and untouched.labels is not None:
                same = same and torch.equal(batch.labels, untouched.labels)
            assert same, f"{self.name}: step changed the images or labels that it was given"
        return found

    def finish(self, model: Model) -> Model:
        """Do what follows the last step."""
        model.finish(Batch(self.images.clone(), None if self.labels is None else self.labels.clone()))
        self.watch("finish")
        return model

    def drawn(self, model: Model, n: int) -> Tensor:
        """Return n samples as the benchmark draws them: checked, and images rounded to uint8."""
        try:
            samples = draw(model, n, self._classes(model, n), 0)
        except (SampleError, DivergedError) as error:
            raise AssertionError(f"{self.name}: {error}") from error
        self.watch("sample")
        return samples

    @torch.no_grad()
    def unrounded(self, model: Model, seed: int = 0) -> Tensor:
        """Return samples as the model makes them: after few steps they may differ by less than a level of grey."""
        labels, was_training = self._classes(model, SAMPLES), model.training
        model.eval()
        with seeded(seed, CPU):
            samples = model.sample(SAMPLES, labels) if model.conditional else model.sample(SAMPLES)
        model.train(was_training)
        return samples.clone()

    def batch(self, number: int) -> Batch:
        part = slice(number * BATCH % N, number * BATCH % N + BATCH)
        return Batch(self.images[part].clone(), None if self.labels is None else self.labels[part].clone())

    def _classes(self, model: Model, n: int) -> Tensor | None:
        return torch.arange(n) % self.data.classes if model.conditional and self.data.classes else None

    def _checked(self, losses: Any, when: str) -> dict[str, float]:
        what = type(losses).__name__
        assert isinstance(losses, dict) and losses, f"{self.name}: step returned {what}, not losses by name"
        found = {}
        for name, loss in losses.items():
            assert isinstance(loss, Tensor) and loss.ndim == 0, f"{self.name}: loss {name!r} is no 0-d tensor"
            found[name] = float(loss.detach())
            assert math.isfinite(found[name]), f"{self.name}: loss {name!r} is {found[name]} {when}"
        return found

    # Trainings that checks share: each is made once, when a check first asks for it.

    def train(self) -> Training:
        """Return a new model after `STEPS` steps and `finish`."""
        model = self.built()
        losses = self.steps(model)
        return Training(self.finish(model), losses)

    @cached_property
    def trained(self) -> Training:
        return self.train()

    @cached_property
    def undisturbed(self) -> Uninterrupted:
        model = self.built()
        return Uninterrupted(model, self.steps(model, 0, 2 * STEPS), random_states(CPU))

    @cached_property
    def undisturbed_samples(self) -> Tensor:
        """What the undisturbed model makes after `finish`."""
        set_random_states(self.undisturbed.random, CPU)
        return self.unrounded(self.finish(self.undisturbed.model))

    @cached_property
    def interrupted(self) -> Interrupted:
        model = self.built()
        losses = self.steps(model)
        state: Node | UnsavableError
        try:
            state = capture(model)
        except UnsavableError as error:
            state = error
        random = random_states(CPU)
        if self.trains:
            self.drawn(model, SAMPLES)
        return Interrupted(losses + self.steps(model, STEPS, 2 * STEPS), state, random)

    def loaded(self, state: Node | UnsavableError, random: Node | None = None) -> Model:
        """Return a new model that goes on from a state."""
        if isinstance(state, UnsavableError):
            raise AssertionError(f"{self.name}: {state}") from state
        model = self.built()
        try:
            restore(model, state)
        except UnsavableError as error:
            raise AssertionError(f"{self.name}: {error}") from error
        if random is not None:
            set_random_states(random, CPU)
        return model
