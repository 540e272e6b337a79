"""Denoising diffusion probabilistic models: Ho et al. 2020 (arXiv:2006.11239), sampled as in DDIM (arXiv:2010.02502).

An image loses its signal in `timesteps` steps, x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) e with e ~ N(0, I), and a network
learns to tell the noise e from x_t and t: the paper's L_simple. Samples go back from noise over `sampling_steps` of
these times, spread evenly. Each step is a draw from q(x_s | x_t, x_0), x_0 being what the network makes of x_t, cut to
[-1, 1] as in the authors' code; `eta` scales its noise as in DDIM: 1 is DDPM's ancestral sampling, 0 adds no noise.

`schedule` says how a_t falls: "linear" betas as in the paper (1e-4 to 0.02 for 1,000 steps, scaled for others), or
the "cosine" of arXiv:2102.09672, the default.

What differs from the paper: a U-Net of some 0.2 million weights (`unet.py`), a perceptron of three hidden layers for
points; batches of 16 and Adam at 2e-3 without warm-up; averaged weights follow faster (momentum 0.998, not 0.9999);
times that are spread evenly over a batch; few sampling steps by default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

import ganbench
from ganbench import DataSpec
from ganbench_plugins.denoising import Denoising, even_times
from ganbench_plugins.unet import each


class DDPM(Denoising):
    name, family, paper = "ddpm", "diffusion", "arXiv:2006.11239"

    @dataclass(frozen=True)
    class Config(Denoising.Config):
        timesteps: int = 1000
        schedule: Literal["linear", "cosine"] = "cosine"
        eta: Annotated[float, ganbench.Uniform(0, 1)] = 1.0

    signal: Tensor
    """What is left of an image's variance, a_t, at t = 0 (all of it) to `timesteps`."""

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        if not 1 <= config.sampling_steps <= config.timesteps:
            raise ValueError(f"sampling_steps must lie between 1 and timesteps ({config.timesteps})")
        self.register_buffer("signal", SCHEDULES[config.schedule](config.timesteps))

    @classmethod
    def sampler(cls, config: Any) -> str:
        kind = "DDPM" if config.eta == 1 else f"DDIM, eta {config.eta:g}"
        return f"{kind}, {config.sampling_steps} steps, averaged weights"

    def loss(self, images: Tensor) -> Tensor:
        last = self.config.timesteps
        steps = 1 + (even_times(len(images), images.device) * last).long().clamp(max=last - 1)
        noise = torch.randn_like(images)
        signal = each(self.signal[steps], images)
        noisy = signal.sqrt() * images + (1 - signal).sqrt() * noise
        return F.mse_loss(self.network(noisy, steps / self.config.timesteps).float(), noise)

    def predict_image(self, noisy: Tensor, step: int) -> Tensor:
        """Return what the network makes of images at a step: x_0, cut to [-1, 1]."""
        time = torch.full((len(noisy),), step / self.config.timesteps, device=noisy.device)
        signal = self.signal[step]
        return ((noisy - (1 - signal).sqrt() * self.average(noisy, time)) / signal.sqrt()).clamp(-1, 1)

    def step_back(self, noisy: Tensor, image: Tensor, step: int, to: int) -> tuple[Tensor, Tensor]:
        """Return the mean and the standard deviation of x at the step `to` (< `step`), given it at `step` and x_0."""
        before, after = self.signal[step], self.signal[to]
        deviation = self.config.eta * ((1 - after) / (1 - before) * (1 - before / after)).sqrt()
        noise = (noisy - before.sqrt() * image) / (1 - before).sqrt()
        return after.sqrt() * image + (1 - after - deviation**2).clamp(min=0).sqrt() * noise, deviation

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        noisy = self.noise(n)
        times = torch.linspace(self.config.timesteps, 0, self.config.sampling_steps + 1).round().int().tolist()
        for step, to in zip(times, times[1:], strict=False):
            mean, deviation = self.step_back(noisy, self.predict_image(noisy, step), step, to)
            noisy = mean + deviation * torch.randn_like(mean)
        return noisy


def linear_schedule(steps: int) -> Tensor:
    """Return a_t, (steps + 1,), for betas that rise linearly: from 1e-4 to 0.02 for 1,000 steps."""
    scale = 1000 / steps
    betas = torch.linspace(1e-4 * scale, min(0.02 * scale, 0.999), steps, dtype=torch.float64)
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)]).float()


def cosine_schedule(steps: int) -> Tensor:
    """Return a_t, (steps + 1,), that falls as a squared cosine; no beta is above 0.999 (arXiv:2102.09672)."""
    time = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    wanted = ((time + 0.008) / 1.008 * math.pi / 2).cos().square()
    betas = (1 - wanted[1:] / wanted[:-1]).clamp(max=0.999)
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)]).float()


SCHEDULES = {"linear": linear_schedule, "cosine": cosine_schedule}


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DDPM)
