"""What must hold for every model, whatever it is: shapes, ranges, seeds, labels, and state that survives."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganbench.model import Model
from ganbench.testing.case import BATCH, SAMPLES, SEED, STEPS, Case, Kind, generators, weights_of
from ganbench.testing.check import Check, place, reason, registrable, require
from ganbench.testing.devices import MixedDevicesError, run_elsewhere
from ganbench.testing.hidden_parameters import hidden_parameters
from ganbench.training.state import capture
from ganbench.training.state_codec import Node, UnsavableError
from ganbench.util.text import error_line

PATIENCE = 100
"""Steps within which a weight must change, and on black images one value of a model's samples fall below 0."""


def model_case(kind: Kind, shape: tuple[int, ...] = (1, 28, 28), classes: int = 10, **settings: Any) -> Case:
    """Return what the checks of a model look at; the arguments are those of `check_model`."""
    return Case(kind, shape, classes, settings)


_check = partial(Check, model_case)


@_check
def has_a_config_of_typed_fields_with_defaults(case: Case) -> None:
    """The class says who it is, and `Config` is a frozen dataclass whose defaults JSON can hold."""
    registrable("models", case.kind)


@_check
def leaves_global_state_alone(case: Case) -> None:
    """The model changes nothing that its process shares: torch's settings, the working directory, signals, streams.

    A run that does fails with the same sentence.
    """
    assert len(case.samples)


@_check
def leaves_seeds_alone(case: Case) -> None:
    """The seed decides everything random: neither `__init__` nor `step` seeds a global generator of random numbers."""
    first, second = case.trained.generators, {}
    model = case.built(SEED + 1)
    weights, second["__init__"] = weights_of(model), generators()
    if case.trains:
        case.steps(model, 0, 1)
        second["step"] = generators()
    for call, found in second.items():
        same = [package for package in found if found[package] == first[call][package]]
        assert not same, f"{case.name}: {call} seeds the generator of {same[0]}: the harness seeds it, for every run"
    drawn = any(float(each.float().std(correction=0)) > 0 for each in weights)
    equal = all(torch.equal(one, other) for one, other in zip(weights, case.trained.weights, strict=True))
    assert not (drawn and equal), f"{case.name}: two seeds give the same weights: draw them from torch's own generator"


@_check
def returns_finite_losses(case: Case) -> None:
    """`step` returns named 0-d tensors, finite, and leaves the batch as it was."""
    assert bool(case.undisturbed.losses) == case.trains


@_check
def returns_finite_losses_under_bfloat16(case: Case) -> None:
    """So it does where ``--precision bf16`` runs steps under autocast, unless the model sets `autocast = False`."""
    _under_bfloat16(case)


@_check
def samples_what_it_learnt_under_bfloat16(case: Case) -> None:
    """A model that was trained so gives samples as any other."""
    if (model := _under_bfloat16(case)) is not None:
        case.drawn(model, 1)


@_check
def learns_from_its_batch(case: Case) -> None:
    """Other images give other losses or samples."""
    other = Case(case.kind, case.data.shape, case.data.classes, case.settings)
    other.images = case.images.square() * 2 - 1
    assert case.trains or case.kind.finish is not Model.finish, (
        f"{case.name}: defines neither step nor finish, so that it learns nothing: step(self, batch) makes one update"
    )
    assert _differs(case, other), f"{case.name}: its training ignores the images: other ones give the same model"


@_check
def updates_its_weights(case: Case) -> None:
    """`step` changes weights, at the latest after a hundred times: an optimiser that is never called learns nothing."""
    model, before = case.undisturbed.model, case.trained.weights
    if not case.trains or not before:
        return
    for number in range(2 * STEPS, PATIENCE):
        if not all(torch.equal(now, then) for now, then in zip(weights_of(model), before, strict=True)):
            return
        case.steps(model, number, number + 1)
    raise AssertionError(
        f"{case.name}: no weight has changed after {PATIENCE} steps: call backward() on a loss, and step() on an"
        " optimiser of these weights"
    )


@_check
def uses_its_labels(case: Case) -> None:
    """A conditional model learns from labels, and samples for them."""
    if not getattr(case.kind, "conditional", False) or case.labels is None or case.data.classes < 2:
        return
    shifted = case.unrounded(case.trained.model, shift=1)
    instead = "use them, or set conditional = False"
    assert not torch.equal(shifted, case.samples), f"{case.name}: sample gives the same for other labels: {instead}"
    other = Case(case.kind, case.data.shape, case.data.classes, case.settings)
    other.labels = (case.labels + 1) % case.data.classes
    assert _differs(case, other), f"{case.name}: its training ignores the labels: {instead}"


@_check
def learns_without_labels(case: Case) -> None:
    """On data without labels a model learns and samples; a conditional one may refuse, by a ValueError of `__init__`.

    `classes` is 0 there, and labels are None in `step` and in `sample`.
    """
    if case.labels is None:
        return
    other = Case(case.kind, case.data.shape, 0, case.settings)
    where = f"{case.name}: on data without labels (classes is 0)"
    try:
        model = other.built()
        other.steps(model, 0, 1)
        other.drawn(other.finish(model), SAMPLES)
    except AssertionError as error:
        raise AssertionError(f"{where}: {reason(error)}") from error
    except Exception as error:
        if isinstance(error, ValueError) and other.calling == "__init__" and getattr(case.kind, "conditional", False):
            return
        told = f"{where} {other.calling} raised {error_line(error)}{place(error)}"
        hint = "; a model that needs them says so by a ValueError in __init__" if other.calling != "__init__" else ""
        raise AssertionError(told + hint) from error


@_check
def registers_its_weights(case: Case) -> None:
    """All weights are among `parameters`: others stay on the CPU, and nobody counts them."""
    for path in hidden_parameters(case.trained.model):
        raise AssertionError(
            f"{case.name}: {path} is not among parameters(), and would stay on the CPU: keep networks in"
            " nn.ModuleList or nn.ModuleDict, and weights in nn.Parameter"
        )


@_check
def samples_any_number(case: Case) -> None:
    """`sample` returns as many images as asked for, of the data's shape, within [-1, 1]."""
    for n in (1, SAMPLES + 1):
        assert len(case.drawn(case.trained.model, n)) == n


@_check
def samples_below_zero(case: Case) -> None:
    """Samples lie in [-1, 1] as images do, not in [0, 1]: where images are black, some value falls below 0 in time."""
    if len(case.data.shape) < 3 or _is_below_zero(case.samples):
        return
    black = Case(case.kind, case.data.shape, case.data.classes, case.settings)
    black.images = torch.full_like(case.images, -1)
    model = black.built()
    for number in range(PATIENCE):
        black.steps(model, number, number + 1)
        if number % BATCH == 0 and _is_below_zero(black.unrounded(model)):
            return
    assert _is_below_zero(black.unrounded(black.finish(model))), (
        f"{case.name}: no value of its samples is below 0, even after {PATIENCE} steps on black images, which are -1:"
        " where the network ends in a sigmoid, return 2 * x - 1"
    )


@_check
def is_decided_by_its_seed(case: Case) -> None:
    """The same seeds give the same losses and samples; another seed gives other samples."""
    expected, again = case.trained, case.train()
    assert again.losses == expected.losses, f"{case.name}: the same seed gave other losses"
    assert torch.equal(case.unrounded(again.model), case.samples), f"{case.name}: the same seed gave other samples"
    other = case.unrounded(again.model, seed=1)
    assert not torch.equal(case.samples, other), f"{case.name}: another seed gave the same samples"


@_check
def is_not_disturbed_by_sampling(case: Case) -> None:
    """Training goes on as if no samples had been drawn, and no checkpoint written, in between."""
    same = case.interrupted.losses == case.undisturbed.losses
    assert same, f"{case.name}: sampling, or saving its state, changed its training"


@_check
def samples_the_same_from_its_checkpoint(case: Case) -> None:
    """A model that was trained, saved and loaded gives the same samples."""
    state: Node | UnsavableError
    expected = case.samples
    try:
        state = capture(case.trained.model, trained=True)
    except UnsavableError as error:
        state = error
    same = torch.equal(case.unrounded(case.loaded(state)), expected)
    assert same, f"{case.name}: loaded from a checkpoint it samples otherwise"


@_check
def goes_on_from_a_checkpoint(case: Case) -> None:
    """Training that was interrupted goes on exactly: nothing that `step` changes is missing from a checkpoint."""
    interrupted, expected = case.interrupted, case.undisturbed.losses[STEPS:]
    again = case.loaded(interrupted.state, interrupted.random)
    hint = "hand over in extra_state() what step changes"
    same = case.steps(again, STEPS, 2 * STEPS) == expected
    assert same, f"{case.name}: gone on from a checkpoint its losses are others: {hint}"
    same = torch.equal(case.unrounded(case.finish(again)), case.undisturbed_samples)
    assert same, f"{case.name}: gone on from a checkpoint its samples are others: {hint}"


@_check
def keeps_to_its_device(case: Case) -> None:
    """Tensors that the model makes lie on the device of its batch or its weights, as far as that shows on a CPU."""
    try:
        run_elsewhere(case)
    except MixedDevicesError as error:
        where = place(error.__cause__ or error)
        raise AssertionError(
            f"{case.name}: {error} mixes tensors of two devices{where}, which a GPU refuses: make them where the others"
            " are, as in torch.randn(n, 32, device=next(self.parameters()).device)"
        ) from error


def _is_below_zero(samples: Tensor) -> bool:
    return bool((samples < 0).any())


def _differs(case: Case, other: Case) -> bool:
    """Tell whether training on another case's data gives other losses, or at its end other samples."""
    expected, model = case.trained.losses, other.built()
    for number in range(STEPS if case.trains else 0):
        if other.steps(model, number, number + 1) != expected[number : number + 1]:
            return True
    return not torch.equal(other.unrounded(other.finish(model)), case.samples)


def _under_bfloat16(case: Case) -> Any:
    """Return a model trained under bfloat16 autocast; None where it sets `autocast = False`."""
    if not case.kind.autocast:
        return None
    hint = "under bfloat16 autocast: compute that in float32, or set autocast = False"
    assert case.trained  # what fails in float32, too, is said without the hint
    try:
        return case.trained_in_bfloat16.model
    except AssertionError as error:
        raise AssertionError(f"{reason(error)} {hint}") from error
    except Exception as error:
        raise AssertionError(f"{case.name}: step fails ({' '.join(str(error).split())[:200]}) {hint}") from error


CHECKS = (
    has_a_config_of_typed_fields_with_defaults,
    leaves_global_state_alone,
    leaves_seeds_alone,
    returns_finite_losses,
    returns_finite_losses_under_bfloat16,
    samples_what_it_learnt_under_bfloat16,
    learns_from_its_batch,
    updates_its_weights,
    uses_its_labels,
    learns_without_labels,
    registers_its_weights,
    samples_any_number,
    samples_below_zero,
    is_decided_by_its_seed,
    is_not_disturbed_by_sampling,
    samples_the_same_from_its_checkpoint,
    goes_on_from_a_checkpoint,
    keeps_to_its_device,
)


MODEL_CHECKS = CHECKS


def check_model(kind: Kind, shape: tuple[int, ...] = (1, 28, 28), classes: int = 10, **settings: Any) -> None:
    """Run every check on a model class, for data of a shape, (C, H, W) or (D,), and so many classes (0: no labels).

    `settings` are hyper-parameters. Raises AssertionError, with a line for each rule that is broken.
    """
    require(CHECKS, Case(kind, shape, classes, settings))
