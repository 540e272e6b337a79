"""What must hold for every model, whatever it is: shapes, ranges, seeds, labels, and state that survives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import torch

from ganbench.testing.case import BATCH, SAMPLES, STEPS, Case, Kind
from ganbench.training.hyperparameters import make_config
from ganbench.training.state import capture
from ganbench.training.state_codec import Node, UnsavableError


class Check:
    """A rule that a model class keeps or breaks: called, it raises AssertionError, in one line, where it is broken."""

    def __init__(self, rule: Callable[[Case], None]) -> None:
        self.rule = rule
        update_wrapper(self, rule)

    def __call__(self, kind: Kind, shape: tuple[int, ...] = (1, 28, 28), classes: int = 10, **settings: Any) -> None:
        self.rule(Case(kind, shape, classes, settings))


@Check
def has_a_config_of_typed_fields_with_defaults(case: Case) -> None:
    """`Config` is a frozen dataclass that can be made without arguments."""
    config = case.kind.Config
    assert dataclasses.is_dataclass(config), f"{case.kind.__name__}.Config is no dataclass"
    assert config.__dataclass_params__.frozen, f"{case.kind.__name__}.Config is not frozen"  # type: ignore[attr-defined]
    make_config(case.kind, {})
    case.built()


@Check
def leaves_global_state_alone(case: Case) -> None:
    """The model changes nothing that its process shares: torch's settings, the working directory, signals, streams.

    A run that does fails with the same sentence.
    """
    case.drawn(case.trained.model, SAMPLES)


@Check
def returns_finite_losses(case: Case) -> None:
    """`step` returns named 0-d tensors, finite, and leaves the batch as it was."""
    assert bool(case.undisturbed.losses) == case.trains


@Check
def returns_finite_losses_under_bfloat16(case: Case) -> None:
    """So it does where ``--precision bf16`` runs steps under autocast, unless the model sets `autocast = False`."""
    model = case.built()
    if not model.autocast:
        return
    hint = "under bfloat16 autocast: compute that in float32, or set autocast = False"
    try:
        case.steps(model, precision="bf16")
    except AssertionError as error:
        raise AssertionError(f"{error} {hint}") from error
    except Exception as error:
        raise AssertionError(f"{case.name}: step fails ({' '.join(str(error).split())[:200]}) {hint}") from error


@Check
def samples_any_number(case: Case) -> None:
    """`sample` returns as many images as asked for, of the data's shape, within [-1, 1]."""
    for n in (1, SAMPLES, 4 * BATCH):
        assert len(case.drawn(case.trained.model, n)) == n


@Check
def is_decided_by_its_seed(case: Case) -> None:
    """The same seeds give the same losses and samples; another seed gives other samples."""
    expected, again = case.trained, case.train()
    assert again.losses == expected.losses, f"{case.name}: the same seed gave other losses"
    samples = case.unrounded(again.model)
    assert torch.equal(samples, case.unrounded(expected.model)), f"{case.name}: the same seed gave other samples"
    other = case.unrounded(again.model, seed=1)
    assert not torch.equal(samples, other), f"{case.name}: another seed gave the same samples"


@Check
def is_not_disturbed_by_sampling(case: Case) -> None:
    """Training goes on as if no samples had been drawn, and no checkpoint written, in between."""
    same = case.interrupted.losses == case.undisturbed.losses
    assert same, f"{case.name}: sampling, or saving its state, changed its training"


@Check
def samples_the_same_from_its_checkpoint(case: Case) -> None:
    """A model that was trained, saved and loaded gives the same samples."""
    model = case.trained.model
    state: Node | UnsavableError
    try:
        state = capture(model, trained=True)
    except UnsavableError as error:
        state = error
    expected = case.unrounded(model)
    same = torch.equal(case.unrounded(case.loaded(state)), expected)
    assert same, f"{case.name}: loaded from a checkpoint it samples otherwise"


@Check
def goes_on_from_a_checkpoint(case: Case) -> None:
    """Training that was interrupted goes on exactly: nothing that `step` changes is missing from a checkpoint."""
    interrupted, expected = case.interrupted, case.undisturbed.losses[STEPS:]
    again = case.loaded(interrupted.state, interrupted.random)
    hint = "hand over in extra_state() what step changes"
    same = case.steps(again, STEPS, 2 * STEPS) == expected
    assert same, f"{case.name}: gone on from a checkpoint its losses are others: {hint}"
    samples = case.unrounded(case.finish(again))
    same = torch.equal(samples, case.undisturbed_samples)
    assert same, f"{case.name}: gone on from a checkpoint its samples are others: {hint}"


CHECKS: tuple[Check, ...] = (
    has_a_config_of_typed_fields_with_defaults,
    leaves_global_state_alone,
    returns_finite_losses,
    returns_finite_losses_under_bfloat16,
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
    case = Case(kind, shape, classes, settings)
    for check in CHECKS:
        check.rule(case)
