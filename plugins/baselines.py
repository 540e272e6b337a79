"""The rows that calibrate every board: real images (ceiling), noise (floor), training images (memoriser)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec


class Baseline(ganbench.Model):
    """Has nothing to train and no hyper-parameters."""

    family = "baseline"
    conditional = True

    @dataclass(frozen=True)
    class Config:
        pass


class Noise(Baseline):
    """Uniform noise in every pixel; its labels mean nothing."""

    name, role = "noise", "floor"

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.rand(n, *self.data.shape) * 2 - 1


class Replay(Baseline):
    """Deals out the images it was given, in a random order, each once before any comes again."""

    name, role = "replay", "memoriser"

    def __init__(self, data: DataSpec, config: Baseline.Config) -> None:
        super().__init__(data, config)
        self.images, self.labels = torch.empty(0, *data.shape), torch.empty(0, dtype=torch.int64)
        self.dealt: dict[int | None, int] = {}

    def finish(self, data: Batch) -> None:
        order = torch.randperm(len(data.images), device=data.images.device)
        self.images = data.images[order]
        self.labels = torch.zeros_like(order) if data.labels is None else data.labels[order]

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            return self.images[self.deal(None, torch.arange(len(self.images), device=self.images.device), n)]
        chosen = torch.empty(n, dtype=torch.int64, device=self.images.device)
        for label in labels.unique().tolist():
            wanted = (labels == label).nonzero()[:, 0]
            chosen[wanted] = self.deal(label, (self.labels == label).nonzero()[:, 0], len(wanted))
        return self.images[chosen]

    def deal(self, pile: int | None, members: Tensor, n: int) -> Tensor:
        """Return the next n members of a pile, starting over when it is used up."""
        start = self.dealt.get(pile, 0)
        self.dealt[pile] = start + n
        return members[(torch.arange(n, device=members.device) + start) % len(members)]

    def extra_state(self) -> dict[str, Any]:
        return {"images": self.images, "labels": self.labels}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.images, self.labels = state["images"], state["labels"]


class Real(Replay):
    """The same with the held-out images, which no model trained on: what a perfect model would score."""

    name, role = "real", "ceiling"


@ganbench.hookimpl
def ganbench_register_models(register):
    for model in (Real, Noise, Replay):
        register(model)
