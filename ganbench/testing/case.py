"""A model class under test: built, trained and sampled the same way each time, and watched meanwhile."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
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

N, BATCH, STEPS = 64, 8, 3
"""Training images, images a step, steps before an interruption (and after it)."""
SAMPLES = 2
"""Samples that are compared: more would take longer, and show nothing else."""
SEED = 14062661
"""What a model is built from: no number that an author would write."""
CPU = torch.device("cpu")

Kind = type[Model]
Losses = list[dict[str, float]]


@dataclass
class Training:
    """A model, the losses of its steps so far, and how it began.

    `weights` are those that `__init__` made, `generators` where those of random numbers stood after each call.
    """

    model: Model
    weights: list[Tensor] = field(default_factory=list)
    losses: Losses = field(default_factory=list)
    generators: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Uninterrupted(Training):
    """Twice `STEPS` steps at a stretch, and where the generators of random numbers stood then."""

    random: Node = None


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
        self.kind, self.settings, self.calling = kind, settings, ""
        self.name = getattr(kind, "name", getattr(kind, "__name__", repr(kind)))
        self.data = DataSpec(shape, classes, "made-up", N)
        generator = torch.Generator().manual_seed(1)
        self.images = torch.rand(N, *shape, generator=generator) * 2 - 1
        self.labels = torch.arange(N) % classes if classes else None
        self.trains = getattr(kind, "step", None) is not Model.step

    @cached_property
    def guard(self) -> ProcessGuard:
        """The global state as it was before the model was first built."""
        return ProcessGuard()

    @contextmanager
    def watched(self, call: str) -> Iterator[None]:
        """Call the author's code; AssertionError where it changes the process's global state."""
        self.calling = call
        self.guard.seeded()
        yield
        self.calling = ""
        try:
            self.guard.check(call)
        except TamperedError as error:
            raise AssertionError(f"{self.name}: {error}") from error

    # What is done to a model.

    def built(self, seed: int = SEED) -> Model:
        """Return a new model, from the same seed unless another is given."""
        try:
            config = make_config(self.kind, self.settings)
            seed_everything(seed)
            with self.watched("__init__"):
                return self.kind(self.data, config)
        except RequestError as error:
            raise AssertionError(str(error)) from error

    def steps(self, model: Model, first: int = 0, last: int = STEPS, precision: str = "fp32") -> Losses:
        """Make the steps from `first` up to `last`, as the training loop does, and return their losses."""
        if not self.trains:
            return []
        context, found = autocast(CPU, precision), []
        model.train()
        for number in range(first, last):
            batch, untouched = self.batch(number), self.batch(number)
            with self.watched("step"), context:
                losses = model.step(batch)
            found.append(self._checked(losses, f"in step {number + 1}"))
            same = torch.equal(batch.images, untouched.images)
            if batch.labels is not None and untouched.labels is not None:
                same = same and torch.equal(batch.labels, untouched.labels)
            assert same, f"{self.name}: step changed the images or labels that it was given"
        return found

    def finish(self, model: Model) -> Model:
        """Do what follows the last step."""
        with self.watched("finish"):
            model.finish(Batch(self.images.clone(), None if self.labels is None else self.labels.clone()))
        return model

    def drawn(self, model: Model, n: int) -> Tensor:
        """Return n samples as the benchmark draws them: checked, and images rounded to uint8."""
        try:
            with self.watched("sample"):
                return draw(model, n, self.sample_labels(model, n), 0)
        except (SampleError, DivergedError) as error:
            raise AssertionError(f"{self.name}: {error}") from error

    def unrounded(self, model: Model, seed: int = 0, shift: int = 0) -> Tensor:
        """Return samples as the model makes them: after few steps they may differ by less than a level of grey.

        `shift` turns each label into another.
        """
        labels, was_training = self.sample_labels(model, SAMPLES, shift), model.training
        model.eval()
        with self.watched("sample"), torch.no_grad(), seeded(seed, CPU):
            samples = model.sample(SAMPLES, labels) if model.conditional else model.sample(SAMPLES)
        model.train(was_training)
        assert isinstance(samples, Tensor), f"{self.name}: sample returned {type(samples).__name__}, not a tensor"
        return samples.clone()

    def batch(self, number: int) -> Batch:
        part = slice(number * BATCH % N, number * BATCH % N + BATCH)
        return Batch(self.images[part].clone(), None if self.labels is None else self.labels[part].clone())

    def sample_labels(self, model: Model, n: int, shift: int = 0) -> Tensor | None:
        """Return the labels that n samples are asked for; None where the model or the data has none."""
        return (torch.arange(n) + shift) % self.data.classes if model.conditional and self.data.classes else None

    def _checked(self, losses: Any, when: str) -> dict[str, float]:
        what = type(losses).__name__
        assert isinstance(losses, dict) and losses, (
            f"{self.name}: step returned {what}{' without any' if losses == {} else ', not'} losses by name: return a"
            ' dict of 0-d tensors, such as {"loss": loss}'
        )
        found = {}
        for name, loss in losses.items():
            kind = f"of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
            assert isinstance(loss, Tensor) and loss.ndim == 0, (
                f"{self.name}: loss {name!r} is no 0-d tensor but {kind}: return it as step computed it, such as"
                " loss.mean()"
            )
            found[name] = float(loss.detach())
            assert math.isfinite(found[name]), f"{self.name}: loss {name!r} is {found[name]} {when}"
        return found

    # Trainings that checks share: each is made once, when a check first asks for it.

    def train(self, precision: str = "fp32") -> Training:
        """Return a new model after `STEPS` steps and `finish`."""
        training = Training(model := self.built(), weights_of(model))
        training.generators["__init__"] = generators()
        for number in range(STEPS if self.trains else 0):
            training.losses += self.steps(model, number, number + 1, precision)
            training.generators.setdefault("step", generators())
        self.finish(model)
        return training

    @cached_property
    def trained(self) -> Training:
        return self.train()

    @cached_property
    def samples(self) -> Tensor:
        """What the trained model makes."""
        return self.unrounded(self.trained.model)

    @cached_property
    def trained_in_bfloat16(self) -> Training:
        """The same, as ``--precision bf16`` makes it."""
        return self.train(precision="bf16")

    @cached_property
    def undisturbed(self) -> Uninterrupted:
        model = self.built()
        losses = self.steps(model, 0, 2 * STEPS)
        return Uninterrupted(model, losses=losses, random=random_states(CPU))

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
            self.drawn(model, 1)
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


def weights_of(model: Model) -> list[Tensor]:
    """Return copies of the weights that a model trains."""
    return [each.detach().clone() for each in model.parameters() if each.requires_grad]


def generators() -> dict[str, Any]:
    """Return where the global generators of random numbers stand, by the name of the package that each belongs to."""
    numbers: Any = np.random.get_state(legacy=False)
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (numbers["state"]["key"].tobytes(), numbers["state"]["pos"]), "random": random.getstate(),
    }  # fmt: skip
