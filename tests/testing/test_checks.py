"""The checks for authors: each finds the fault that it is for. What ships passes all: tests/plugins/test_models.py."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec, Model
from ganbench.testing import CHECKS, check_model


class Sound(Model):
    name = "sound"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 16

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        size = torch.Size(data.shape).numel()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, size), nn.Tanh())
        self.optimizer = torch.optim.Adam(self.parameters(), 1e-2)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        made = self.net(torch.randn(len(batch.images), 3)).view_as(batch.images)
        loss = (made - batch.images).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.net(torch.randn(n, 3)).view(n, *self.data.shape)


class ConfigOfItsOwn(Sound):
    class Config:
        batch_size = 16


class Global(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        torch.use_deterministic_algorithms(True)
        return super().step(batch)


class LossOfEach(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": batch.images.flatten(1).mean(1)}


class Saturating(Sound):
    """The logarithm of a probability: 1 - 1e-3 is 1 in bfloat16."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        ones = torch.ones(len(batch.images), 7)
        return super().step(batch) | {"surprise": -(1 - (ones @ ones.T[:, :1]).sigmoid()).log().mean()}


class OneTooMany(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return super().sample(n + n % 2)


class Deaf(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.zeros(n, *self.data.shape)


class Watched(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.drawn = 0

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().step(batch)["loss"] + self.drawn}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        self.drawn += n
        return super().sample(n)


class Forgetful(Sound):
    """What `sample` needs is nowhere in the model."""

    memory = torch.zeros(())

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        type(self).memory = torch.zeros(())

    def step(self, batch: Batch) -> dict[str, Tensor]:
        type(self).memory = self.memory + 0.1
        return super().step(batch)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + self.memory).clamp(-1, 1)


class Iterating(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.numbers = iter(range(10**6))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().step(batch)["loss"] + next(self.numbers)}


class NotANumber(Sound):
    """Its fourth loss."""

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.steps = 0

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.steps += 1
        return {"loss": super().step(batch)["loss"] * (float("nan") if self.steps == 4 else 1)}


class Relabelling(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        assert batch.labels is not None
        batch.labels.zero_()
        return super().step(batch)


class Storing(Sound):
    """Puts what a layer gave into a float32 tensor, which torch refuses where the layer gave bfloat16."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        stored = torch.zeros(len(batch.images), 8)
        stored[torch.arange(len(stored))] = self.net[0](torch.ones(len(stored), 3))
        return super().step(batch)


class Unlike(Sound):
    """No two of its objects are alike."""

    made = 0

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        type(self).made += 1
        self.offset = type(self).made

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().step(batch)["loss"] + self.offset}


class UnlikeSamples(Unlike):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return Sound.step(self, batch)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + 0.01 * self.offset).clamp(-1, 1)


class WornBySaving(Sound):
    """Each checkpoint that it hands its state to changes how it trains."""

    def extra_state(self) -> dict[str, Any]:
        with torch.no_grad():
            self.net[0].weight.mul_(0.9)
        return {}


class Rising(Iterating):
    """Says that its checkpoint holds all, and its count of steps is not there."""

    transient = ("numbers",)

    def extra_state(self) -> dict[str, Any]:
        return {}


class Averaging(Sound):
    """Its samples depend on the number of its steps, which no loss shows and no checkpoint holds."""

    transient = ("counter",)

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.counter, self.brightness = iter(range(10**6)), torch.zeros(())

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.brightness += 0.1 / (1 + next(self.counter))
        return super().step(batch)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + self.brightness).clamp(-1, 1)

    def extra_state(self) -> dict[str, Any]:
        return {}


FAULTS: dict[type[Model], tuple[str, str]] = {
    ConfigOfItsOwn: ("has_a_config_of_typed_fields_with_defaults", "is no dataclass"),
    Global: ("leaves_global_state_alone", "step changed torch's deterministic mode from False to True"),
    LossOfEach: ("returns_finite_losses", "no 0-d tensor"),
    Saturating: ("returns_finite_losses_under_bfloat16", "'surprise' is inf in step 1 under bfloat16 autocast"),
    OneTooMany: ("samples_any_number", r"expected \([17], 1, 4, 4\)"),
    Deaf: ("is_decided_by_its_seed", "another seed gave the same samples"),
    Watched: ("is_not_disturbed_by_sampling", "changed its training"),
    Forgetful: ("samples_the_same_from_its_checkpoint", "it samples otherwise"),
    Iterating: ("goes_on_from_a_checkpoint", "numbers is a range_iterator"),
}
MORE_FAULTS: dict[type[Model], tuple[str, str]] = {
    NotANumber: ("returns_finite_losses", "'loss' is nan in step 4"),
    Relabelling: ("returns_finite_losses", "changed the images or labels"),
    Storing: ("returns_finite_losses_under_bfloat16", "step fails .*set autocast = False"),
    Unlike: ("is_decided_by_its_seed", "the same seed gave other losses"),
    UnlikeSamples: ("is_decided_by_its_seed", "the same seed gave other samples"),
    WornBySaving: ("is_not_disturbed_by_sampling", "saving its state, changed its training"),
    Rising: ("goes_on_from_a_checkpoint", "its losses are others"),
    Averaging: ("goes_on_from_a_checkpoint", "its samples are others"),
}


@pytest.fixture
def mended() -> Iterator[None]:
    """Put the process's global state back behind a model that changes it."""
    folder, out, threads = Path.cwd(), sys.stdout, torch.get_num_threads()
    handler = signal.getsignal(signal.SIGTERM)
    yield
    os.chdir(folder)
    sys.stdout = out
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.use_deterministic_algorithms(False)
    signal.signal(signal.SIGTERM, handler)


def found_by(kind: type[Model], name: str) -> str:
    """Return what a check says of a model that breaks its rule."""
    (check,) = (each for each in CHECKS if each.__name__ == name)
    with pytest.raises(AssertionError) as found:
        check(kind, (1, 4, 4))
    return str(found.value).split("\nassert")[0]


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert [name for name, _ in FAULTS.values()] == [check.__name__ for check in CHECKS]
    assert all(check.__doc__ for check in CHECKS)


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 2, 5), (2,)], ids=str)
def test_a_sound_model_passes_all(shape: tuple[int, ...]) -> None:
    check_model(Sound, shape)
    check_model(Sound, shape, classes=0, batch_size=4)


@pytest.mark.parametrize("kind", FAULTS | MORE_FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_found_by_its_check(mended: None, kind: type[Model]) -> None:
    name, said = (FAULTS | MORE_FAULTS)[kind]
    found = found_by(kind, name)
    assert re.search(said, found) and "\n" not in found


@pytest.mark.parametrize("kind", FAULTS | MORE_FAULTS, ids=lambda kind: kind.__name__)
def test_all_checks_together_find_it_too(mended: None, kind: type[Model]) -> None:
    """What checks share hides nothing: the first to fail is the fault's own, or one before it that says the same."""
    with pytest.raises(AssertionError, match=(FAULTS | MORE_FAULTS)[kind][1]):
        check_model(kind, (1, 4, 4))


GLOBAL: dict[str, tuple[Callable[[], object], str]] = {
    "dtype": (lambda: torch.set_default_dtype(torch.float64), "default dtype"),
    "threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), "number of threads"),
    "grad": (lambda: torch.set_grad_enabled(False), "grad mode"),
    "folder": (lambda: os.chdir("/"), "the working directory"),
    "signal": (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN), "the handler of SIGTERM"),
    "stream": (lambda: setattr(sys, "stdout", io.StringIO()), "standard output"),
}


CALLS = ("__init__", "step", "finish", "sample")
# Samples are drawn under torch.no_grad, which puts the grad mode back.
CHANGES = [(change, during) for change in GLOBAL for during in CALLS if (change, during) != ("grad", "sample")]


@pytest.mark.parametrize(("change", "during"), CHANGES)
def test_a_change_of_global_state_is_found_whenever_it_comes(mended: None, change: str, during: str) -> None:
    act, what = GLOBAL[change]

    def acting(self: Model, *arguments: Any) -> Any:
        found = getattr(Sound, during)(self, *arguments)
        act()
        return found

    kind = type("Acting", (Sound,), {during: acting})
    with pytest.raises(AssertionError, match=f"{during} changed .*{what}") as found:
        check_model(kind, (1, 4, 4))
    assert "\n" not in str(found.value).split("\nassert")[0]


def test_a_model_that_keeps_float32_is_not_checked_under_bfloat16() -> None:
    check_model(type("Exact", (Saturating,), {"autocast": False}), (1, 4, 4))
