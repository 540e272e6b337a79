"""Bounds of log-likelihoods: asked of models that give them, in their units, without disturbing anything."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench.data.embedded import load_digits
from ganbench.errors import DivergedError
from ganbench.model import DataSpec, Model
from ganbench.registry.builtin_metrics import METRICS
from ganbench.scoring.metric_context import MetricContext, Real
from ganbench.training import likelihood
from ganbench.training.sampling import SampleError

from ..conftest import stored


class Coin(Model):
    """Tosses a coin for each pixel, and says so; counts how it is called."""

    name = "coin"

    def __init__(self, answer: Any = None) -> None:
        super().__init__(DataSpec((1, 2, 2), 3, "toy", 8), None)
        self.answer, self.sizes, self.modes = answer, list[int](), set[bool]()

    def log_likelihood(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        self.modes.add(self.training)
        torch.rand(3)
        return -torch.ones(len(images)) if self.answer is None else self.answer(images)


def test_it_is_asked_in_parts_and_nothing_is_disturbed() -> None:
    model = Coin().train()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    found = likelihood.log_likelihood(model, torch.zeros(250, 1, 2, 2), seed=1)
    assert torch.equal(found, -torch.ones(250))
    assert (model.sizes, model.modes, model.training) == ([100, 100, 50], {False}, True)
    assert torch.equal(torch.get_rng_state(), before)


def test_whoever_defines_it_gives_it() -> None:
    assert likelihood.is_given(Coin())
    assert not likelihood.is_given(Model(DataSpec((2,), 0, "toy", 8), None))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda images: torch.zeros(len(images), 1), SampleError),
        (lambda images: 0.0, SampleError),
        (lambda images: torch.full((len(images),), math.nan), DivergedError),
    ],
)
def test_what_is_no_bound_is_refused(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="log_likelihood returned"):
        likelihood.log_likelihood(Coin(answer), torch.zeros(4, 1, 2, 2), 0)


def test_a_coin_for_each_pixel_costs_one_bit_and_log_two_nats() -> None:
    images = torch.zeros(7, 1, 2, 2, dtype=torch.uint8)
    bounds = torch.tensor([-0.5, -1.5, -1.0, -1.0])
    context = MetricContext(Real(None, None, None), images, torch.zeros(7, 2), log_likelihood=bounds)
    bits, nats = (
        next(each for each in METRICS if each.name == name).score(context) for name in ("bits_per_dim", "nats")
    )
    assert (bits.value, bits.details) == (1.0, {"reference_images": 4})
    assert nats.value == pytest.approx(4 * math.log(2))
    assert bits.se == pytest.approx(float(bounds.std()) / 2)
    assert nats.se == pytest.approx(float(bounds.std()) / 2 * 4 * math.log(2))


def test_a_board_has_bounds_where_models_give_them(command, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command(
        "run", "--plugins", "vae,vanilla", "--no-baselines", "--track", "digits-smoke", "--seeds", "1",
        "--budget", "5steps", "--metrics", "fid,nats,bits_per_dim", "--quiet",
    )  # fmt: skip
    assert answer.status == 0
    found = stored(tmp_path / "runs")
    scores = found["vae"].scores[0].metrics
    assert scores["nats"].value == pytest.approx(scores["bits_per_dim"].value * 64 * math.log(2))
    assert scores["nats"].details == {"reference_images": len(load_digits().test)}
    assert {"nats", "bits_per_dim"} <= found["vanilla"].scores[0].skipped.keys()
    assert len(list((found["vae"].folder / "answers").iterdir())) == 1
    assert not (found["vanilla"].folder / "answers").exists()
