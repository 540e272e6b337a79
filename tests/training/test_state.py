"""A model's state: all of it comes back, from a file, into a model just made; what cannot is said, never left out."""

from __future__ import annotations

import itertools
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec, Model
from ganbench.training.seeding import seed_everything
from ganbench.training.state import capture, random_states, restore, set_random_states
from ganbench.training.state_codec import UnsavableError

CPU = torch.device("cpu")
DATA = DataSpec((3,), 0, "none", 8)


class Average:
    """A helper that is no module: weights averaged over steps."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.count = module, 0
        self.weights = {name: value.detach().clone() for name, value in module.named_parameters()}

    def update(self) -> None:
        self.count += 1
        for name, value in self.module.named_parameters():
            self.weights[name].lerp_(value.detach(), 1 / (1 + self.count))


class Everything(Model):
    """Has every kind of state that authors keep, and uses all of it in every step."""

    name = "everything"

    @dataclass(frozen=True, slots=True)
    class Config:
        batch_size: int = 8
        widths: tuple[int, ...] = (3, 3)

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.old_norm = nn.utils.spectral_norm(nn.Linear(3, 3))
        self.new_norm = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
        self.batch_norm, self.frozen = nn.BatchNorm1d(3), nn.Linear(3, 3)
        self.unregistered = [nn.Linear(3, 3)]
        self.register_buffer("fleeting", torch.zeros(3), persistent=False)
        self.raw = torch.zeros(3, requires_grad=True)
        self.all = [*self.parameters(), *self.unregistered[0].parameters(), self.raw]
        self.optimisers = {"adam": torch.optim.Adam(self.all[:-1], fused=True), "sgd": torch.optim.SGD([self.raw], 0.1)}
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimisers["adam"], 0.9)
        self.average, self.me = Average(self.old_norm), {"me": self}
        self.pool, self.seen, self.same = deque[Tensor](maxlen=3), set[int](), list[float]()
        self.also_same = self.same
        self.control, self.scalar, self.array = 0.0, np.float32(0), np.zeros(3)
        self.numpy, self.legacy = np.random.default_rng(1), np.random.RandomState(1)
        self.python, self.torch = random.Random(1), torch.Generator().manual_seed(1)
        self.activation, self.prior = torch.relu, torch.distributions.Normal(0.0, 1.0)
        self.grown: Tensor | None = None

    def step(self, batch: Batch) -> dict[str, Tensor]:
        noise = torch.randn(len(batch.images), 3, generator=self.torch) * float(
            self.numpy.random() + self.legacy.rand()
        )
        x = batch.images + noise * self.python.random() + random.random() + np.random.rand() + self.prior.sample((3,))
        y = self.batch_norm(self.new_norm(self.old_norm(self.activation(x)))) + self.unregistered[0](x) + self.raw
        y = self.frozen(y) + self.fleeting + float(self.scalar) + torch.from_numpy(self.array) + sum(self.same)
        for old in self.pool:
            y = y + old.mean()
        if self.grown is not None:
            y = y + self.grown.sum()
        loss = (y.float() - self.control).square().mean()
        if len(self.seen) % 2 == 0:  # gradients add up over two steps
            for optimiser in self.optimisers.values():
                optimiser.zero_grad()
        loss.backward()
        for optimiser in self.optimisers.values():
            optimiser.step()
        self.schedule.step()
        self.average.update()
        self.pool.append(y.detach())
        self.seen.add(len(self.seen))
        self.also_same.append(0.01)
        self.control += 0.1 * float(loss.detach())
        self.scalar, self.grown = self.scalar + np.float32(0.1), torch.full((len(self.seen),), 0.01)
        self.array += 0.1
        self.fleeting += 0.1
        if len(self.seen) == 5:
            self.frozen.requires_grad_(False)
            self.batch_norm.eval()
        return {"loss": loss}


def fresh(kind: type[Model] = Everything) -> Model:
    seed_everything(0)
    return kind(DATA, kind.Config())


def steps(model: Model, n: int) -> list[float]:
    return [float(model.step(Batch(torch.ones(8, 3), None))["loss"].detach()) for _ in range(n)]


@pytest.mark.parametrize("at", [1, 4, 5, 8])
def test_a_model_goes_on_exactly_where_it_stood(tmp_path: Path, at: int) -> None:
    undisturbed = steps(fresh(), 12)
    model = fresh()
    first = steps(model, at)
    torch.save((capture(model), random_states(CPU)), tmp_path / "state.pt")
    steps(model, 2)  # what happens afterwards changes nothing that was taken
    state, states = torch.load(tmp_path / "state.pt", weights_only=True)
    again = fresh()
    restore(again, state)
    set_random_states(states, CPU)
    assert first + steps(again, 12 - at) == undisturbed
    assert again.same is again.also_same
    assert again.all[0] is next(again.parameters())
    assert again.pool.maxlen == 3


def test_of_a_trained_model_no_optimiser_and_no_gradient_is_kept() -> None:
    model, again = fresh(), fresh()
    steps(model, 3)
    state = capture(model, trained=True)
    restore(again, state)
    assert torch.equal(again.old_norm.weight_orig, model.old_norm.weight_orig)
    assert again.average.count == 3
    assert again.optimisers["adam"].state_dict()["state"] == {}
    assert all(parameter.grad is None for parameter in again.parameters())


class Recurrent(Model):
    """Its layer holds its weights a second time, in a list, and weak references to them."""

    def __init__(self) -> None:
        super().__init__(DataSpec((3,), 0, "toy", 8), None)
        self.layer = nn.LSTM(3, 4, bidirectional=True)


def test_a_recurrent_layer_is_held_and_its_weights_are_its_own() -> None:
    model, other = Recurrent(), Recurrent()
    restore(other, capture(model))
    images = torch.randn(5, 2, 3)
    torch.testing.assert_close(other.layer(images)[0], model.layer(images)[0], rtol=0, atol=0)
    with torch.no_grad():
        other.layer.weight_ih_l0.zero_()
    assert not torch.equal(other.layer(images)[0], model.layer(images)[0])


class Nothing:
    """Has no attributes, and so no state."""


class Plain(Model):
    name = "plain"

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.layer, self.mode, self.nothing = nn.Linear(3, 3), torch.relu, Nothing()
        self.odd: Any = None


@pytest.mark.parametrize(
    "odd",
    [
        lambda: iter([1]),
        lambda: (i for i in range(3)),
        itertools.count,
        lambda: np.array(["a"]),
        lambda: open(__file__),  # noqa: SIM115
        object,
        threading.Lock,
    ],
    ids=["iterator", "generator", "count", "objects", "file", "object", "lock"],
)
def test_what_cannot_be_held_is_named(odd: Callable[[], Any]) -> None:
    model = fresh(Plain)
    model.layer.odd = odd()
    with pytest.raises(UnsavableError, match="layer.odd is a"):
        capture(model)
    restore(fresh(Plain), capture(model, trained=True))
    if hasattr(model.layer.odd, "close"):
        model.layer.odd.close()


def test_an_author_who_hands_state_over_answers_for_it() -> None:
    class Own(Plain):
        def extra_state(self) -> dict[str, Any]:
            return {"at": self.at}

        def load_extra_state(self, state: dict[str, Any]) -> None:
            self.at = state["at"]
            self.odd = itertools.count(self.at)

    model, again = fresh(Own), fresh(Own)
    model.at, model.odd = 7, itertools.count(7)
    restore(again, capture(model))
    assert (again.at, next(again.odd)) == (7, 7)


def test_a_state_that_does_not_fit_is_refused() -> None:
    class Wider(Plain):
        def __init__(self, data: DataSpec, config: Any) -> None:
            super().__init__(data, config)
            self.layer = nn.Linear(3, 4)

    model = fresh(Plain)
    with pytest.raises(UnsavableError, match="does not fit Wider"):
        restore(fresh(Wider), capture(model))
    model.mode = torch.tanh  # what a function is cannot be saved, only that it is the same
    with pytest.raises(UnsavableError, match="has become"):
        restore(fresh(Plain), capture(model))


def test_global_generators_come_back() -> None:
    seed_everything(3)
    state = random_states(CPU)
    drawn = torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()
    seed_everything(4)
    set_random_states(state, CPU)
    assert (torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()) == drawn
