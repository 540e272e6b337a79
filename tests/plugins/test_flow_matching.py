"""Flow matching: the path and its velocity, the solvers, and what the network is asked to learn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.flow_matching import FlowMatching

POINTS, IMAGES = DataSpec((1,), 0, "toy", 64), DataSpec((1, 8, 8), 0, "toy", 64)


class GaussianVelocity(nn.Module):
    """The velocity that carries N(0, 1) to N(mean, deviation^2) along the straight paths: E[x1 - x0 | x_t].

    With independent ends x_t is N(t mean, (1 - t)^2 + t^2 deviation^2), jointly Gaussian with x1 - x0, whose covariance
    with x_t is t deviation^2 - (1 - t).
    """

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.variance, self.calls = mean, deviation**2, 0

    def forward(self, points: Tensor, time: Tensor) -> Tensor:
        self.calls += 1
        t = time[:, None]
        slope = (t * self.variance - (1 - t)) / ((1 - t) ** 2 + t**2 * self.variance)
        return self.mean + slope * (points - t * self.mean)


def test_the_path_is_that_of_optimal_transport() -> None:
    model = FlowMatching(IMAGES, FlowMatching.Config(sigma_min=0.1, width=8))
    noise, images = torch.randn(3, 1, 8, 8), torch.rand(3, 1, 8, 8)
    time = torch.tensor([0.0, 0.3, 1.0])
    point, velocity = model.path(noise, images, time)
    for i, t in enumerate([0.0, 0.3, 1.0]):
        assert torch.allclose(point[i], (1 - 0.9 * t) * noise[i] + t * images[i])
    assert torch.allclose(velocity, images - 0.9 * noise)
    later, _ = model.path(noise, images, time + 1e-2)
    assert torch.allclose((later - point) / 1e-2, velocity, atol=1e-3), "the velocity is the path's derivative"


@pytest.mark.parametrize(("solver", "steps", "calls"), [("euler", 200, 200), ("heun", 20, 40)])
def test_samples_of_an_analytic_velocity_have_its_mean_and_deviation(solver: str, steps: int, calls: int) -> None:
    model = FlowMatching(POINTS, FlowMatching.Config(solver=solver, sampling_steps=steps, hidden=8))
    model.average = GaussianVelocity(0.3, 0.1)
    torch.manual_seed(0)
    samples = model.sample(20_000)
    assert float(samples.mean()) == pytest.approx(0.3, abs=0.005)
    assert float(samples.std()) == pytest.approx(0.1, rel=0.03)
    assert model.average.calls == calls


def test_the_network_is_asked_for_the_velocity() -> None:
    model = FlowMatching(POINTS, FlowMatching.Config(hidden=8))
    model.network = GaussianVelocity(0.3, 0.1)
    torch.manual_seed(0)
    found = model.loss(0.3 + 0.1 * torch.randn(50_000, 1))
    # What remains is the variance of x1 - x0 given x_t, averaged over t: var - cov^2 / var(x_t).
    t = torch.linspace(0, 1, 10_001)
    expected = (1 + 0.01 - (t * 0.01 - (1 - t)) ** 2 / ((1 - t) ** 2 + t**2 * 0.01)).mean()
    assert float(found) == pytest.approx(float(expected), rel=0.03)


def test_samples_come_from_averaged_weights() -> None:
    model = FlowMatching(IMAGES, FlowMatching.Config(width=8, ema=0.9))
    before = {name: value.clone() for name, value in model.average.state_dict().items()}
    model.step(Batch(torch.rand(8, 1, 8, 8), None))
    weight = 1 - 2 / 11  # young averages follow faster: (1 + updates) / (10 + updates)
    for name, value in model.network.state_dict().items():
        assert torch.allclose(model.average.state_dict()[name], torch.lerp(before[name], value, weight), atol=1e-6)
