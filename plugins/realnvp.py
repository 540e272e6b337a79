"""RealNVP: Dinh, Sohl-Dickstein, Bengio 2017 (arXiv:1605.08803), a normalising flow: an exact density, exact inverses.

An affine coupling keeps the entries that its mask names and maps the others by y = x * exp(s) + t, where s and t depend
on the kept ones alone: its inverse is as cheap, and its log-determinant is the sum of s. Images meet `couplings`
checkerboard couplings, are squeezed (2x2 places become channels), meet as many that mask every other channel, and half
of the channels is factored out as latents; the rest goes through the same once more at half the size (figure 4).
Points meet 4 times `couplings`, which keep one half of the coordinates and the other in turn.

Images have discrete values: uniform noise makes them continuous (with `levels` K, v = (level + u) / K in [0, 1]), and
the flow models logit(.05 + .9 v). So an image's log probability is at least E_u log p(v) - D log K, by Jensen's
inequality, as P(x) = E_u p(v) / K^D: for binary images that bound is reported, from several draws of u (the log of
their mean, closer to log P(x)). `levels` of 0 means 2 where the first batch is black and white, else 256.

What differs from the paper: two scales; s and t come from three convolutions of `width` channels (twice that at half
the size), where it has residual networks with batch normalisation and weight normalisation, and there is no batch
normalisation between couplings; perceptrons of two layers of `hidden` units for points; gradients are clipped; no
weight decay, batches of 16 and not of 64, and no flipped images.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.layers import perceptron, quarter
from ganbench_plugins.vae import LOG_2PI

INSIDE = 0.9
"""What part of [0, 1] the logit's argument spans."""


class RealNVP(ganbench.Model):
    name, family, paper = "realnvp", "flow", "arXiv:1605.08803"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(16, 32, 64)] = 16
        width: Annotated[int, ganbench.Choice(16, 24, 32)] = 16
        hidden: Annotated[int, ganbench.Choice(64, 128)] = 64
        couplings: Annotated[int, ganbench.Choice(2, 3, 4)] = 3
        levels: int = 0
        lr: Annotated[float, ganbench.LogUniform(3e-4, 5e-3)] = 1e-3

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.levels = config.levels
        self.flow = Flow(data, config.width, config.hidden, config.couplings)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=config.lr, fused=True)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "N(0, I) through the inverse"

    @property
    def images(self) -> bool:
        return len(self.data.shape) == 3

    def step(self, batch: Batch) -> dict[str, Tensor]:
        if not self.levels:  # the only look of the host at the data
            self.levels = 2 if bool((batch.images.abs() == 1).all()) else 256
        loss = -self.log_density(self.dequantised(batch.images) if self.images else batch.images).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), 100.0 if self.images else 10.0)
        self.optimizer.step()
        return {"nats": loss}

    def dequantised(self, images: Tensor) -> Tensor:
        """Return values in [0, 1) that round down to the images' levels."""
        k: int = self.levels or 256
        return (((images + 1) / 2 * (k - 1)).round() + torch.rand_like(images)) / k

    def log_density(self, values: Tensor) -> Tensor:
        """Return log p in nats, (n,), of points, or of values in [0, 1] that stand for images."""
        log_det = torch.zeros(len(values), device=values.device)
        if self.images:
            values, log_det = to_logits(values)
        latents, flow_log_det = self.flow(values)
        return flow_log_det + log_det - 0.5 * (latents.square() + LOG_2PI).sum(1)

    @torch.no_grad()
    def log_likelihood(self, images: Tensor, samples: int = 10) -> Tensor:
        """Return log p(x) in bits per dimension, (n,).

        Of a binary image, whose values are -1 or 1, that is a lower bound of its log probability from so many draws of
        the noise; of other images one of the density of their values in [-1, 1], of points the density itself.
        """
        dimensions = math.prod(self.data.shape)
        if not self.images:
            return self.log_density(images) / (math.log(2) * dimensions)
        parts = [
            torch.stack([self.log_density(self.dequantised(part)) for _ in range(samples)]).logsumexp(0)
            for part in images.split(100)
        ]
        nats = torch.cat(parts) - math.log(samples)
        binary = (images.abs() == 1).flatten(1).all(1)
        each = torch.where(binary, math.log2(self.levels or 256), 1.0)  # [0, 1] to levels, or to [-1, 1]
        return nats / (math.log(2) * dimensions) - each

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        latents = torch.randn(n, math.prod(self.data.shape), device=next(self.parameters()).device)
        values = self.flow.inverse(latents)
        if not self.images:
            return values.clamp(-1, 1)
        k = self.levels or 256
        levels = ((values.sigmoid() - (1 - INSIDE) / 2) / INSIDE * k).floor().clamp(0, k - 1)
        return levels / (k - 1) * 2 - 1


def to_logits(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return logit(.05 + .9 v) of values v in [0, 1], and the log-determinant in nats, (n,)."""
    inside = (1 - INSIDE) / 2 + INSIDE * values
    log_det = math.log(INSIDE) - inside.log() - (1 - inside).log()
    return inside.logit(), log_det.flatten(1).sum(1)


class Flow(nn.Module):
    """From data (n, *shape) to latents (n, D), with the log-determinant, and back."""

    def __init__(self, data: DataSpec, width: int, hidden: int, couplings: int) -> None:
        super().__init__()
        self.shape, self.scales = data.shape, nn.ModuleList()
        if len(data.shape) == 1:
            first = (torch.arange(data.shape[0]) % 2).float()
            self.scales.append(in_turn(first, 4 * couplings, partial(points_network, first.numel(), hidden)))
            return
        quarter(data)
        channels, height, side = data.shape
        for scale in range(2):
            w = width * 2**scale
            places = (torch.arange(height)[:, None] + torch.arange(side)) % 2
            every_other = (torch.arange(4 * channels) % 2).float()[:, None, None]
            self.scales.append(in_turn(places.float(), couplings, partial(images_network, channels, w)))
            self.scales.append(in_turn(every_other, couplings, partial(images_network, 4 * channels, w)))
            channels, height, side = 2 * channels, height // 2, side // 2

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        out, log_det = [], torch.zeros(len(values), device=values.device)
        for number, scale in enumerate(self.scales):
            if number % 2:
                values = F.pixel_unshuffle(values, 2)
            for coupling in scale:  # type: ignore[attr-defined]
                values, more = coupling(values)
                log_det = log_det + more
            if number == 1:
                values, latents = values.chunk(2, 1)
                out.append(latents.flatten(1))
        return torch.cat([*out, values.flatten(1)], 1), log_det

    def inverse(self, latents: Tensor) -> Tensor:
        values = latents
        if len(self.shape) == 3:
            (channels, height, width), half = self.shape, latents.shape[1] // 2
            factored = latents[:, :half].unflatten(1, (2 * channels, height // 2, width // 2))
            values = latents[:, half:].unflatten(1, (8 * channels, height // 4, width // 4))
        for number, scale in reversed([*enumerate(self.scales)]):
            if number == 1:
                values = torch.cat([values, factored], 1)
            for coupling in reversed(scale):  # type: ignore[call-overload]
                values = coupling.inverse(values)
            if number % 2:
                values = F.pixel_shuffle(values, 2)
        return values


class Coupling(nn.Module):
    """Keeps what the mask names (1), and maps the rest by y = x * exp(s) + t: eqs 7 and 8."""

    mask: Tensor

    def __init__(self, mask: Tensor, network: nn.Module) -> None:
        super().__init__()
        self.register_buffer("mask", mask)
        self.network = network
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs and the log-determinant in nats, (n,)."""
        log_scale, shift = self.affine(values)
        return values * log_scale.exp() + shift, log_scale.flatten(1).sum(1)

    def inverse(self, values: Tensor) -> Tensor:
        log_scale, shift = self.affine(values)
        return (values - shift) * (-log_scale).exp()

    def affine(self, values: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.network(values * self.mask).to(values.dtype).chunk(2, 1)
        return (1 - self.mask) * self.scale * log_scale.tanh(), (1 - self.mask) * shift


def in_turn(mask: Tensor, n: int, network: Callable[[], nn.Module]) -> nn.ModuleList:
    """Return n couplings that keep what `mask` names and what it does not in turn."""
    return nn.ModuleList(Coupling(1 - mask if i % 2 else mask, network()) for i in range(n))


def images_network(channels: int, width: int) -> nn.Module:
    last = nn.Conv2d(width, 2 * channels, 3, 1, 1)
    layers = (nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(), last)
    return nn.Sequential(*layers).apply(partial(identity_at_first, last))


def points_network(coordinates: int, hidden: int) -> nn.Module:
    layers = perceptron(coordinates, hidden, hidden, 2 * coordinates, activation=nn.ReLU)
    return nn.Sequential(*layers).apply(partial(identity_at_first, layers[-1]))


def identity_at_first(last: nn.Module, module: nn.Module) -> None:
    """Start a network's last layer at 0, so that its coupling starts as the identity: for `Module.apply`."""
    if module is last and isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.zeros_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(RealNVP)
