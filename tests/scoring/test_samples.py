"""What a model's samples must be, and what drawing them leaves as it was."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench.errors import DivergedError
from ganbench.model import DataSpec, Model
from ganbench.training.sampling import CHUNK, SampleError, draw, to_uint8


class Sampler(Model):
    """Samples whatever it is told to."""

    name = "sampler"

    def __init__(self, make: Callable[[int, Tensor | None], object]) -> None:
        super().__init__(DataSpec((1, 2, 3), 4, "toy", 10), self.Config())
        self.make, self.modes = make, list[bool]()

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        self.modes.append(self.training)
        return self.make(n, labels)  # type: ignore[return-value]


def test_values_are_clamped_and_rounded_half_to_even_once() -> None:
    levels = torch.arange(256)
    assert torch.equal(to_uint8(levels / 127.5 - 1), levels.to(torch.uint8))
    assert to_uint8(torch.zeros(1)).tolist() == [128]  # 127.5, the only half there is
    assert to_uint8(torch.tensor([-1.0005, 1.0005, -9.0, 9.0])).tolist() == [0, 255, 0, 255]
    assert to_uint8(torch.zeros(1)).dtype is torch.uint8


@pytest.mark.parametrize("n", [1, 7, CHUNK + 3])
def test_as_many_samples_as_wanted_come_back(n: int) -> None:
    samples = draw(Sampler(lambda n, labels: torch.zeros(n, 1, 2, 3)), n, None, seed=0)
    assert samples.shape == (n, 1, 2, 3)
    assert samples.dtype is torch.uint8


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda n, labels: torch.zeros(n, 1, 3, 2), r"shape \(5, 1, 3, 2\), expected \(5, 1, 2, 3\)"),
        (lambda n, labels: torch.zeros(n + 1, 1, 2, 3), r"shape \(6, 1, 2, 3\), expected \(5, 1, 2, 3\)"),
        (lambda n, labels: torch.zeros(n, 6), "shape"),
        (lambda n, labels: np.zeros((n, 1, 2, 3)), "ndarray, not a tensor"),
        (lambda n, labels: None, "NoneType, not a tensor"),
        (lambda n, labels: torch.zeros(n, 1, 2, 3, dtype=torch.uint8), "torch.uint8, expected floating point"),
        (lambda n, labels: torch.full((n, 1, 2, 3), float("nan")), "NaN or inf"),
        (lambda n, labels: torch.full((n, 1, 2, 3), -float("inf")), "NaN or inf"),
        (lambda n, labels: torch.full((n, 1, 2, 3), 1.01), r"values in \[1.01, 1.01\], beyond \[-1, 1\]"),
        (lambda n, labels: torch.full((n, 1, 2, 3), -1.01), r"beyond \[-1, 1\]"),
    ],
)
def test_what_cannot_be_scored_says_why(make, said: str) -> None:
    model = Sampler(make)
    with pytest.raises(DivergedError if said == "NaN or inf" else SampleError, match=said):
        draw(model, 5, None, seed=0)
    assert model.training


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_floating_point_and_a_hair_beyond_one_is_fine(dtype: torch.dtype) -> None:
    assert (draw(Sampler(lambda n, labels: torch.ones(n, 1, 2, 3, dtype=dtype)), 2, None, seed=0) == 255).all()
    assert (draw(Sampler(lambda n, labels: torch.full((n, 1, 2, 3), -1.0009)), 2, None, seed=0) == 0).all()


@pytest.mark.parametrize("mode", [True, False])
def test_drawing_leaves_mode_gradients_and_torchs_random_state(mode: bool) -> None:
    model = Sampler(lambda n, labels: torch.rand(n, 1, 2, 3, requires_grad=True) * 2 - 1).train(mode)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first = draw(model, CHUNK + 1, None, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training is mode
    assert set(model.modes) == {False}
    assert torch.equal(draw(model, CHUNK + 1, None, seed=3), first)
    assert not torch.equal(draw(model, CHUNK + 1, None, seed=4), first)


def test_drawing_leaves_the_random_states_of_numpy_and_python_too() -> None:
    def make(n: int, labels: Tensor | None) -> Tensor:
        return torch.from_numpy(np.random.rand(n, 1, 2, 3)) * random.random()

    states = np.random.get_state()[1].copy(), random.getstate()
    first = draw(Sampler(make), 4, None, seed=3)
    assert (np.random.get_state()[1] == states[0]).all()
    assert random.getstate() == states[1]
    assert torch.equal(draw(Sampler(make), 4, None, seed=3), first)


def test_labels_reach_conditional_models_only_chunk_by_chunk() -> None:
    labels, seen = torch.arange(CHUNK + 2), list[Tensor | None]()
    model = Sampler(lambda n, given: seen.append(given) or torch.zeros(n, 1, 2, 3))
    draw(model, len(labels), labels, seed=0)
    assert seen == [None, None]
    seen.clear()
    model.conditional = True
    draw(model, len(labels), labels, seed=0)
    assert torch.equal(torch.cat(seen), labels)
