"""Flow matching: Lipman et al. 2023 (arXiv:2210.02747), with the conditional path of optimal transport.

A network v(x, t) learns the velocity along straight lines from noise x0 ~ N(0, I) to an image x1,

    x_t = (1 - (1 - sigma_min) t) x0 + t x1,    u_t = x1 - (1 - sigma_min) x0,

by least squares, t uniform in [0, 1]. Samples solve dx/dt = v(x, t) from noise at t = 0 to t = 1 in `sampling_steps`
equal steps of Euler's or Heun's method (two evaluations of the network a step), and are cut to [-1, 1].

What differs from the paper: a U-Net of some 0.2 million weights (`unet.py`), a perceptron of three hidden layers for
points; batches of 16 and Adam at 2e-3 without warm-up or decay; averaged weights; times that are spread evenly over a
batch; a fixed number of steps where the paper's solver (dopri5) chooses its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

import ganbench
from ganbench_plugins.denoising import Denoising, even_times
from ganbench_plugins.unet import each


class FlowMatching(Denoising):
    name, family, paper = "flow-matching", "flow", "arXiv:2210.02747"

    @dataclass(frozen=True)
    class Config(Denoising.Config):
        sigma_min: float = 1e-4
        solver: Literal["euler", "heun"] = "euler"

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"{config.solver.capitalize()}, {config.sampling_steps} steps, averaged weights"

    def path(self, noise: Tensor, images: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the point of the path from each noise to its image at times (n,), and the velocity there."""
        t, shrink = each(time, images), 1 - self.config.sigma_min
        return (1 - shrink * t) * noise + t * images, images - shrink * noise

    def loss(self, images: Tensor) -> Tensor:
        time = even_times(len(images), images.device)
        point, velocity = self.path(torch.randn_like(images), images, time)
        return F.mse_loss(self.network(point, time).float(), velocity)

    def velocity(self, points: Tensor, time: float) -> Tensor:
        return self.average(points, torch.full((len(points),), time, device=points.device))  # type: ignore[no-any-return]

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        points, steps = self.noise(n), self.config.sampling_steps
        for step in range(steps):
            slope = self.velocity(points, step / steps)
            if self.config.solver == "heun":
                slope = (slope + self.velocity(points + slope / steps, (step + 1) / steps)) / 2
            points = points + slope / steps
        return points.clamp(-1, 1)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(FlowMatching)
