"""A model's state: all of it comes back, from a file, into a model just made; what cannot is said, never left out."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec, Model
from ganbench.training.seeding import seed_everything
from ganbench.training.state import (
    UnsavableError,
    capture,
    made_in_init,
    random_states,
    restore,
    set_random_states,
)

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
    undisturbed, made = steps(fresh(), 12), made_in_init(fresh())
    model = fresh()
    first = steps(model, at)
    torch.save((capture(model, made=made), random_states(CPU)), tmp_path / "state.pt")
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


def test_training_goes_on_after_samples_were_drawn() -> None:
    def seen(interrupted: bool) -> list[float]:
        model = fresh()
        found = steps(model, 2)
        model.eval()
        with torch.no_grad():  # spectral normalisation leaves a weight of its own behind, made without gradients
            model.old_norm(torch.ones(1, 3))
        model.train()
        if interrupted:
            state, states = capture(model), random_states(CPU)
            model = fresh()
            restore(model, state)
            set_random_states(states, CPU)
        return found + steps(model, 3)

    assert seen(interrupted=True) == seen(interrupted=False)


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
    for trained in (False, True):
        with pytest.raises(UnsavableError, match=r"self\.layer\.odd is an? "):
            capture(model, trained=trained)
    model.transient = ("layer.odd",)
    restore(fresh(Plain), capture(model))
    if hasattr(model.layer.odd, "close"):
        model.layer.odd.close()


def test_an_author_who_hands_state_over_answers_for_it() -> None:
    class Own(Plain):
        transient = ("odd", "late")

        def extra_state(self) -> dict[str, Any]:
            return {"at": self.at}

        def load_extra_state(self, state: dict[str, Any]) -> None:
            self.at = state["at"]
            self.odd = itertools.count(self.at)

    model, again = fresh(Own), fresh(Own)
    model.at, model.odd, model.late = 7, itertools.count(7), itertools.count(7)
    restore(again, capture(model, made=made_in_init(fresh(Own))))
    assert not hasattr(again, "late")
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
    with pytest.raises(UnsavableError, match="self.mode has become .*tanh, and in a new model it is .*relu"):
        restore(fresh(Plain), capture(model))


class Pair(NamedTuple):
    first: Tensor
    second: int


class Grows(Plain):
    """Makes containers as it trains, and holds views of its own tensors."""

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.register_buffer("bank", torch.zeros(6))
        self.register_buffer("later", None)
        self.flat = torch.zeros(4)
        self.views, self.recent = self.flat.split(2), self.bank[:3]
        self.normal = torch.distributions.Normal(torch.zeros(1), torch.ones(3))  # its mean is expanded
        self.seen = Counter[str]()
        self.pair, self.counts, self.pools = Pair(torch.zeros(2), 0), defaultdict[str, int](int), dict[str, Any]()
        self.levels, self.dtype, self.doubles = range(3), torch.float32, np.zeros(2, dtype=np.float32)

    def grow(self) -> None:
        self.flat += torch.arange(4)
        self.bank += torch.arange(6)
        self.later, self.recent = torch.ones(2), self.bank[3:]
        self.pair, self.dtype, self.doubles = Pair(torch.ones(2), 1), torch.bfloat16, np.full(2, 1 / 3)
        self.counts["steps"] += 1
        self.seen.update("abca")
        self.pools = {
            "pool": deque([torch.ones(2)], maxlen=1), "ids": frozenset({1}), "order": OrderedDict(b=1, a=2),
            "tuple": (self.flat, [self.layer.weight]), ("a", 1): {2, 3},
        }  # fmt: skip
        self.new = {"late": None}


def test_containers_made_in_training_come_back_and_views_are_still_views(tmp_path: Path) -> None:
    model, again = fresh(Grows), fresh(Grows)
    model.grow()
    torch.save(capture(model, made=made_in_init(fresh(Grows))), tmp_path / "state.pt")
    restore(again, torch.load(tmp_path / "state.pt", weights_only=True))
    assert again.flat.tolist() == [0, 1, 2, 3]
    assert again.bank.tolist() == [0, 1, 2, 3, 4, 5]
    assert again.recent.tolist() == [3, 4, 5]
    assert torch.cat(again.views).tolist() == [0, 1, 2, 3]
    again.flat.zero_()
    assert torch.cat(again.views).tolist() == [0] * 4
    assert again.later.tolist() == [1, 1]
    assert type(again.pair) is Pair
    assert (again.pair.second, again.counts["steps"], again.counts["none"]) == (1, 1, 0)
    assert again.seen == Counter("abca")
    assert again.dtype is torch.bfloat16
    assert again.doubles.tolist() == [1 / 3] * 2
    pools = again.pools
    assert pools["pool"].maxlen == 1
    assert (pools["ids"], list(pools["order"]), pools["a", 1]) == (frozenset({1}), ["b", "a"], {2, 3})
    assert pools["tuple"][0] is again.flat
    assert pools["tuple"][1][0] is again.layer.weight
    assert again.new == {"late": None}


class Pool(list):
    """A container with attributes, which would be lost."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 3


def test_what_a_new_model_has_no_counterpart_of_is_named() -> None:
    made = made_in_init(fresh(Plain))
    for late, said in (
        (Nothing(), "self.odd is a Nothing"),
        (nn.Linear(1, 1), "self.odd is a Linear"),
        (Pool(), "self.odd is a Pool"),
        (defaultdict(int), "self.odd is a defaultdict"),
        ([random.Random(1)], r"self.odd\[0\] is a Random"),
        ({"k": Pair(torch.zeros(1), 1)}, r"self.odd\['k'\] is a Pair"),
    ):
        model = fresh(Plain)
        object.__setattr__(model, "odd", late)
        with pytest.raises(UnsavableError, match=said + ".* nothing made in __init__"):
            capture(model, made=made)
        with pytest.raises(UnsavableError, match=said):
            restore(fresh(Plain), capture(model))


def test_structure_that_differs_is_named() -> None:
    def built(**parts: nn.Module) -> Model:
        model = fresh(Plain)
        for name, part in parts.items():
            setattr(model, name, part)
        return model

    for saved, new, said in (
        (built(), built(head=nn.Linear(1, 1)), "self.head is not in the checkpoint"),
        (built(head=nn.Linear(1, 1)), built(), "self.head is a Linear, and in a new model None"),
        (built(layer=nn.Conv1d(3, 3, 1)), built(), "self.layer is a Conv1d, and in a new model a Linear"),
        (
            built(layer=nn.Linear(3, 4)),
            built(),
            r"self.layer.weight is .*float32 of shape \(4, 3\), and in .* \(3, 3\)",
        ),
        (
            built(layer=nn.Linear(3, 3).double()),
            built(),
            "self.layer.weight is torch.float64 of .* model torch.float32",
        ),
        (built(), built(layer=nn.Linear(3, 3, bias=False)), r"self.layer.bias is .* \(3,\), and in .* None"),
        (built(layer=nn.Linear(3, 3, bias=False)), built(), "self.layer.bias is not in the checkpoint"),
    ):
        with pytest.raises(UnsavableError, match=f"does not fit Plain: {said}"):
            restore(new, capture(saved))


def test_estimators_of_an_extension_are_named_and_never_lost() -> None:
    tree = pytest.importorskip("sklearn.tree")

    class Fits(Plain):
        def __init__(self, data: DataSpec, config: Any) -> None:
            super().__init__(data, config)
            self.tree = tree.DecisionTreeClassifier()

    model, late = fresh(Fits), fresh(Plain)
    restore(fresh(Fits), capture(model))
    model.tree.fit([[0.0], [1.0]], [0, 1])
    late.odd = tree.DecisionTreeClassifier()
    for trained in (False, True):
        with pytest.raises(UnsavableError, match=r"self\.tree\.tree_ is a Tree"):
            capture(model, trained=trained)
        with pytest.raises(UnsavableError, match="self.odd is a DecisionTreeClassifier"):
            capture(late, trained=trained, made=made_in_init(fresh(Plain)))


def test_extra_state_is_plain_and_shares_what_the_model_has() -> None:
    class Own(Plain):
        def extra_state(self) -> dict[str, Any]:
            return {"weight": self.layer.weight, "device": self.device}

        def load_extra_state(self, state: dict[str, Any]) -> None:
            self.weight_again = [state["weight"]]

    model, again = fresh(Own), fresh(Own)
    model.device = torch.device("cpu")
    with pytest.raises(UnsavableError, match=r"extra_state\(\)\['device'\] is a device"):
        capture(model)
    model.device = "cpu"
    restore(again, capture(model))
    assert again.weight_again[0] is again.layer.weight


class Scaled(nn.Module):
    """Keeps state where torch's own interface for it is."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = iter([1])

    def get_extra_state(self) -> dict[str, Any]:
        return {"left": self.hidden.__length_hint__()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.hidden = iter([1] * state["left"])


def test_a_modules_extra_state_of_torch_comes_back() -> None:
    class Has(Plain):
        transient = ("scaled.hidden",)

        def __init__(self, data: DataSpec, config: Any) -> None:
            super().__init__(data, config)
            self.scaled = Scaled()

    model, again = fresh(Has), fresh(Has)
    next(model.scaled.hidden)
    restore(again, capture(model))
    assert list(again.scaled.hidden) == []


SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], Any]] = {
    "step": lambda it: torch.optim.lr_scheduler.StepLR(it, 2),
    "cosine": lambda it: torch.optim.lr_scheduler.CosineAnnealingLR(it, 5),
    "restarts": lambda it: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(it, 2),
    "one cycle": lambda it: torch.optim.lr_scheduler.OneCycleLR(it, 0.1, 20),
    "cyclic": lambda it: torch.optim.lr_scheduler.CyclicLR(it, 0.01, 0.1),
    "lambda": lambda it: torch.optim.lr_scheduler.LambdaLR(it, lambda epoch: 0.9**epoch),
    "sequential": lambda it: torch.optim.lr_scheduler.SequentialLR(
        it,
        [torch.optim.lr_scheduler.ConstantLR(it, 0.1, 2), torch.optim.lr_scheduler.ExponentialLR(it, 0.9)],
        milestones=[2],
    ),
    "chained": lambda it: torch.optim.lr_scheduler.ChainedScheduler(
        [torch.optim.lr_scheduler.ConstantLR(it, 0.1, 2), torch.optim.lr_scheduler.ExponentialLR(it, 0.9)]
    ),
    "plateau": lambda it: torch.optim.lr_scheduler.ReduceLROnPlateau(it),
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_every_kind_of_schedule_goes_on(schedule: Callable[[torch.optim.Optimizer], Any]) -> None:
    class Has(Plain):
        def __init__(self, data: DataSpec, config: Any) -> None:
            super().__init__(data, config)
            self.optimizer = torch.optim.AdamW(self.layer.parameters(), 0.1)
            self.schedule = schedule(self.optimizer)

        def go(self, n: int) -> list[float]:
            rates = []
            for _ in range(n):
                self.layer(torch.ones(1, 3)).sum().backward()
                self.optimizer.step()
                plateau = isinstance(self.schedule, torch.optim.lr_scheduler.ReduceLROnPlateau)
                self.schedule.step(*([1.0] if plateau else []))
                rates += [self.optimizer.param_groups[0]["lr"], float(self.layer.weight.sum().detach())]
            return rates

    whole, first, again = fresh(Has), fresh(Has), fresh(Has)
    expected = whole.go(20)
    found = first.go(3)
    restore(again, capture(first))
    assert found + again.go(17) == expected


def test_a_checkpoint_of_another_kind_of_device_is_refused_in_a_line_and_a_trained_model_goes_anywhere() -> None:
    model, again = fresh(), fresh()
    steps(model, 2)
    said = "^its checkpoint was taken on cuda, and this is cpu: training starts again$"
    state, states = capture(model), random_states(CPU)
    assert state["device"] == states["device"] == "cpu"
    with pytest.raises(UnsavableError, match=said):
        restore(again, state | {"device": "cuda"})
    with pytest.raises(UnsavableError, match=said):
        set_random_states(states | {"device": "cuda"}, CPU)
    trained = capture(model, trained=True) | {"device": "cuda"}
    (generator,) = (it for it in nodes(trained["model"]) if it.get("device") == "cpu")
    generator.update(device="cuda", state=torch.zeros(16, dtype=torch.uint8))  # as long as a GPU's is
    restore(again, trained)
    assert torch.equal(again.torch.get_state(), fresh().torch.get_state())
    assert torch.equal(again.new_norm.weight, model.new_norm.weight)


def nodes(node: Any) -> list[dict[str, Any]]:
    """Return the nodes below one, each once."""
    found, ahead = dict[int, Any](), [node]
    while ahead:
        at = ahead.pop()
        if id(at) in found or not isinstance(at, dict | list):
            continue
        found[id(at)] = at
        ahead += at if isinstance(at, list) else at.values()
    return [at for at in found.values() if isinstance(at, dict)]


def test_global_generators_come_back() -> None:
    seed_everything(3)
    state = random_states(CPU)
    drawn = torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()
    seed_everything(4)
    set_random_states(state, CPU)
    assert (torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()) == drawn
