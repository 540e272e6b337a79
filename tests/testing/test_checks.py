"""The checks for authors: each finds the fault that it is for. What ships passes all: tests/plugins/test_models.py."""

from __future__ import annotations

from dataclasses import dataclass
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
        torch.set_float32_matmul_precision("high")
        return super().step(batch)


class LossOfEach(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": batch.images.flatten(1).mean(1)}


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


FAULTS: dict[type[Model], tuple[str, str]] = {
    ConfigOfItsOwn: ("has_a_config_of_typed_fields_with_defaults", "is no dataclass"),
    Global: ("leaves_the_world_alone", "global settings"),
    LossOfEach: ("returns_finite_losses", "no 0-d tensor"),
    OneTooMany: ("samples_any_number", r"expected \(1, 1, 4, 4\)"),
    Deaf: ("is_decided_by_its_seed", "another seed gave the same samples"),
    Watched: ("is_not_disturbed_by_sampling", "sampling changed its training"),
    Forgetful: ("samples_the_same_from_its_checkpoint", "it samples otherwise"),
    Iterating: ("goes_on_from_a_checkpoint", "numbers is a range_iterator"),
}


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert [name for name, _ in FAULTS.values()] == [check.__name__ for check in CHECKS]
    assert all(check.__doc__ for check in CHECKS)
    check_model(Sound, (1, 4, 4))


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_found_by_its_check(kind: type[Model]) -> None:
    name, said = FAULTS[kind]
    (check,) = (each for each in CHECKS if each.__name__ == name)
    before = torch.get_float32_matmul_precision()
    try:
        with pytest.raises(AssertionError, match=said) as found:
            check(kind, (1, 4, 4))
    finally:
        torch.set_float32_matmul_precision(before)
    assert "\n" not in str(found.value).split("\nassert")[0]
