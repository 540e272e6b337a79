"""How frozen classifiers are trained: the loop that ``ganbench extractor train`` and the bundled LeNets share.

It is seeded, and its schedule is fixed in advance: no epoch is chosen by looking at test images.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from ganbench.data.dataset import Split
from ganbench.extractors.frozen_classifier import prepared

BATCH = 128
EPOCHS = 15
LEAST_UPDATES, MOST_UPDATES = 1500, EPOCHS * (60_000 // BATCH)
CPU = torch.device("cpu")

Network = TypeVar("Network", bound=nn.Module)


class Progress(NamedTuple):
    """Where training stands after an update: counts from 1, the epoch's mean loss so far, seconds of training."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    seconds: float

    def __str__(self) -> str:
        return f"epoch {self.epoch}/{self.epochs}  loss {self.loss:.4f}  {self.seconds:.0f} s"


def print_epochs(progress: Progress) -> None:
    """Print a line at the end of each epoch."""
    if progress.step == progress.steps:
        print(progress, flush=True)


def default_epochs(images: int) -> int:
    """Return 15 epochs; more where that would be under 1,500 updates, fewer above 60,000 images."""
    steps = max(1, images // BATCH)
    return max(math.ceil(LEAST_UPDATES / steps), min(EPOCHS, max(1, MOST_UPDATES // steps)))


def shifted(images: Tensor, reach: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Move each image by up to `reach` pixels (background fills in) and mirror half of them where `flip`."""
    n, _, height, width = images.shape
    padded = nn.functional.pad(images, (reach,) * 4)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n), generator=generator)
    rows = dy[:, None] + torch.arange(height)
    columns = dx[:, None] + torch.arange(width)
    if flip:
        mirrored = torch.rand(n, generator=generator) < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def train(
    split: Split,
    build: Callable[[], Network],
    shape: tuple[int, ...],
    *,
    epochs: int,
    flip: bool,
    seed: int,
    device: torch.device = CPU,
    report: Callable[[Progress], None] = print_epochs,
) -> Network:
    """Train with AdamW on a one-cycle schedule; the weights returned are their running average.

    `build` makes a network that takes `shape` (C, H, W) and returns features and logits; the split is labelled. Images
    are moved by up to 2 pixels of 28. `report` is called after every update. torch's global seed is set.
    """
    assert split.labels is not None
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = build().to(device).train()
    images, labels = torch.from_numpy(split.images).to(device), torch.from_numpy(split.labels).to(device)
    batch_size = min(BATCH, len(images))
    steps = len(images) // batch_size
    # A short training must not end as the average of its beginning: the average reaches back a sixth of it.
    decay = min(0.999, 1 - 6 / (epochs * steps)) if epochs * steps > 6 else 0.0
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=epochs * steps, pct_start=0.2)
    reach = max(1, round(min(images.shape[2:]) / 14))
    start = time.perf_counter()
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(images), generator=generator)
        for step in range(steps):
            chosen = order[step * batch_size : (step + 1) * batch_size].to(device)
            batch = prepared(shifted(images[chosen], reach, flip, generator), shape, "in training")
            loss = nn.functional.cross_entropy(model(batch)[1], labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            total += float(loss.detach())
            seconds = time.perf_counter() - start
            report(Progress(epoch + 1, epochs, step + 1, steps, total / (step + 1), seconds))
    averaged: Network = average.module.eval()  # type: ignore[assignment]
    return averaged


@torch.no_grad()
def accuracy(model: nn.Module, split: Split, shape: tuple[int, ...], device: torch.device = CPU) -> float:
    """Return the share of images whose largest logit is the true label."""
    assert split.labels is not None
    correct = 0
    for start in range(0, len(split), 1000):
        pixels = prepared(torch.from_numpy(split.images[start : start + 1000]).to(device), shape, "in training")
        correct += int((model(pixels)[1].argmax(1).cpu().numpy() == split.labels[start : start + 1000]).sum())
    return correct / len(split)
