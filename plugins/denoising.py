"""What models share whose network is told the time: the optimiser, averaged weights and the update."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.adversarial import follow
from ganbench_plugins.unet import denoiser


class Denoising(ganbench.Model):
    """A network from noisy images and their times to a target of the same shape, learned by least squares.

    Samples are made with the running average of its weights (`ema` is its momentum).
    """

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(16, 32, 64)] = 16
        width: Annotated[int, ganbench.Choice(16, 24, 32)] = 24
        hidden: int = 256
        lr: Annotated[float, ganbench.LogUniform(3e-4, 5e-3)] = 2e-3
        ema: Annotated[float, ganbench.Choice(0.99, 0.995, 0.998, 0.999)] = 0.998
        sampling_steps: int = 20

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.network = denoiser(data, config.width, config.hidden)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.lr, fused=True)
        self.updates = 0

    def loss(self, images: Tensor) -> Tensor:
        """Return the loss, 0-d, of images (n, *shape) at times that it draws."""
        raise NotImplementedError

    def step(self, batch: Batch) -> dict[str, Tensor]:
        loss = self.loss(batch.images)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.updates += 1
        follow(self.average, self.network, self.config.ema, self.updates)
        return {"squared error": loss}

    def noise(self, n: int) -> Tensor:
        """Return draws from N(0, I), (n, *shape)."""
        return torch.randn(n, *self.data.shape, device=next(self.parameters()).device)


def even_times(n: int, device: torch.device) -> Tensor:
    """Return n times uniform in [0, 1), one from each n-th part, in random order: the loss varies less."""
    return (torch.randperm(n, device=device) + torch.rand(n, device=device)) / n
