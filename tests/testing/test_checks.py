"""Each check of models finds the mistakes that it is for. What ships passes all: tests/plugins/test_models.py."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench.model import Model
from ganbench.testing import CHECKS, MODEL_CHECKS, check_model
from ganbench.testing.check import outcomes
from ganbench.testing.checks import model_case

from .cases import MISTAKES, PAGE, page
from .models import Saturating, Sound

SHAPE = (1, 4, 4)


def test_every_check_has_a_mistake_that_it_finds() -> None:
    assert {mistake.check for mistake in MISTAKES.values()} == {check.name for check in CHECKS}
    assert all(check.__doc__ for check in CHECKS)
    assert MODEL_CHECKS is CHECKS


def test_the_table_is_that_of_the_docs() -> None:
    assert page() == PAGE.read_text(), "python -m tests.testing.cases writes it"


@pytest.mark.parametrize("shape", [SHAPE, (3, 2, 5), (2,)], ids=str)
def test_a_sound_model_passes_all(shape: tuple[int, ...]) -> None:
    check_model(Sound, shape)
    check_model(Sound, shape, classes=0, batch_size=4)


@pytest.mark.parametrize("kind", MISTAKES, ids=lambda kind: kind.__name__)
def test_a_mistake_is_found_by_its_check(kind: type[Model]) -> None:
    """Alone, and among all, which share trainings."""
    mistake = MISTAKES[kind]
    (check,) = (each for each in CHECKS if each.name == mistake.check)
    with pytest.raises(AssertionError) as found:
        check(kind, SHAPE)
    said = str(found.value)
    assert mistake.says in said and "\n" not in said
    failures = {each.check: each.failure for each in outcomes(CHECKS, model_case(kind, SHAPE)) if each.failure}
    assert failures[mistake.check] == said


def test_all_that_is_broken_is_told_at_once() -> None:
    both = type("Both", (Sound,), {"conditional": True, "name": "real"})
    with pytest.raises(AssertionError) as found:
        check_model(both, SHAPE)
    reserved, labels = str(found.value).splitlines()
    assert "is reserved" in reserved and "other labels" in labels


def test_an_exception_is_told_with_its_line() -> None:
    def step(self: Model, batch: Any) -> Any:
        raise KeyError("weight")

    with pytest.raises(AssertionError, match=r"sound: step raised KeyError: 'weight' \(test_checks.py, line \d+\)"):
        check_model(type("Raising", (Sound,), {"step": step}), SHAPE)


GLOBAL: dict[str, tuple[Callable[[], object], str]] = {
    "dtype": (lambda: torch.set_default_dtype(torch.float64), "default dtype"),
    "threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), "number of threads"),
    "grad": (lambda: torch.set_grad_enabled(False), "grad mode"),
    "folder": (lambda: os.chdir("/"), "the working directory"),
    "signal": (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN), "the handler of SIGTERM"),
    "stream": (lambda: setattr(sys, "stdout", io.BytesIO()), "standard output"),
    "seed": (lambda: torch.manual_seed(0), "torch's seed"),
}


CALLS = ("__init__", "step", "finish", "sample")
# Samples are drawn under torch.no_grad and from a seed, which puts both back.
CHANGES = [
    (change, during)
    for change in GLOBAL
    for during in CALLS
    if (change, during) not in {("grad", "sample"), ("seed", "sample")}
]


@pytest.mark.parametrize(("change", "during"), CHANGES)
def test_a_change_of_global_state_is_found_whenever_it_comes_and_put_back(change: str, during: str) -> None:
    act, what = GLOBAL[change]

    def acting(self: Model, *arguments: Any) -> Any:
        found = getattr(Sound, during)(self, *arguments)
        act()
        return found

    def state() -> tuple[object, ...]:
        handler = signal.getsignal(signal.SIGTERM)
        settings = torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), torch.initial_seed()
        return settings, Path.cwd(), handler, sys.stdout

    before = state()
    kind = type("Acting", (Sound,), {during: acting})
    with pytest.raises(AssertionError, match=f"{during} changed .*{what}"):
        check_model(kind, SHAPE)
    assert state() == before


def test_a_model_that_keeps_float32_is_not_checked_under_bfloat16() -> None:
    check_model(type("Exact", (Saturating,), {"autocast": False}), SHAPE)
