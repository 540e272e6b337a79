"""DDPM: the schedules, the posterior, the samplers, and what the network is asked to learn."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import DataSpec
from ganbench_plugins.ddpm import DDPM, cosine_schedule, linear_schedule

POINTS = DataSpec((1,), 0, "toy", 64)


class GaussianNoise(nn.Module):
    """E[e | x_t] where x_0 is N(mean, deviation^2): x_t is N(sqrt(a) mean, a deviation^2 + 1 - a)."""

    def __init__(self, signal: Tensor, mean: float, deviation: float) -> None:
        super().__init__()
        self.signal, self.mean, self.variance = signal, mean, deviation**2

    def forward(self, points: Tensor, time: Tensor) -> Tensor:
        a = self.signal[(time * (len(self.signal) - 1)).round().long()][:, None]
        return (1 - a).sqrt() * (points - a.sqrt() * self.mean) / (a * self.variance + 1 - a)


def ddpm(**settings: Any) -> DDPM:
    return DDPM(POINTS, DDPM.Config(hidden=8, **settings))


def test_the_linear_schedule_is_the_papers() -> None:
    betas = [1e-4 + (0.02 - 1e-4) * i / 999 for i in range(1000)]
    found = linear_schedule(1000)
    assert found[0] == 1 and len(found) == 1001
    assert float(found[3]) == pytest.approx(math.prod(1 - beta for beta in betas[:3]), rel=1e-6)
    assert float(found[-1]) == pytest.approx(math.prod(1 - beta for beta in betas), rel=1e-4)
    assert math.log(linear_schedule(100)[-1]) == pytest.approx(math.log(found[-1]), rel=0.1), (
        "as much noise in fewer steps"
    )


def test_the_cosine_schedule_is_that_of_its_paper() -> None:
    found, f = cosine_schedule(1000), lambda t: math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2
    for step in (0, 1, 500, 900):
        assert float(found[step]) == pytest.approx(f(step) / f(0), rel=1e-4)
    assert 0 < found[-1] < 1e-5


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_ancestral_steps_are_draws_from_the_posterior(schedule: str) -> None:
    model = ddpm(timesteps=50, schedule=schedule, eta=1.0)
    noisy, image = torch.randn(4, 1), torch.rand(4, 1)
    for step in (50, 20, 2, 1):
        a, before = model.signal[step], model.signal[step - 1]
        beta, alpha = 1 - a / before, a / before
        # Equations 6 and 7 of arXiv:2006.11239.
        mean = (before.sqrt() * beta * image + alpha.sqrt() * (1 - before) * noisy) / (1 - a)
        variance = (1 - before) / (1 - a) * beta
        found, deviation = model.step_back(noisy, image, step, step - 1)
        assert torch.allclose(found, mean, atol=1e-5)
        assert torch.allclose(torch.as_tensor(deviation) ** 2, variance, atol=1e-6)


def test_without_noise_a_step_keeps_the_direction_of_ddim() -> None:
    model = ddpm(timesteps=50, sampling_steps=10, eta=0.0)
    image, noise = torch.rand(4, 1), torch.randn(4, 1)
    a, after = model.signal[40], model.signal[35]
    found, deviation = model.step_back(a.sqrt() * image + (1 - a).sqrt() * noise, image, 40, 35)
    assert float(deviation) == 0
    assert torch.allclose(found, after.sqrt() * image + (1 - after).sqrt() * noise, atol=1e-5)


@pytest.mark.parametrize(("eta", "steps"), [(1.0, 200), (0.5, 200), (0.0, 100)])
def test_samples_of_analytic_noise_have_the_mean_and_deviation(eta: float, steps: int) -> None:
    model = ddpm(timesteps=200, sampling_steps=steps, eta=eta)
    model.average = GaussianNoise(model.signal, 0.3, 0.1)
    torch.manual_seed(0)
    samples = model.sample(10_000)
    assert float(samples.mean()) == pytest.approx(0.3, abs=0.01)
    assert float(samples.std()) == pytest.approx(0.1, rel=0.1)


def test_the_network_is_asked_for_the_noise() -> None:
    model = ddpm(timesteps=100)
    model.network = GaussianNoise(model.signal, 0.3, 0.1)
    torch.manual_seed(0)
    found = model.loss(0.3 + 0.1 * torch.randn(50_000, 1))
    a = model.signal[1:]
    expected = (1 - (1 - a) / (a * 0.01 + 1 - a)).mean()  # the variance of e given x_t, averaged over t
    assert float(found) == pytest.approx(float(expected), rel=0.03)


@pytest.mark.parametrize("steps", [0, 101])
def test_more_sampling_steps_than_timesteps_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match=r"sampling_steps must lie between 1 and timesteps \(100\)"):
        ddpm(timesteps=100, sampling_steps=steps)
