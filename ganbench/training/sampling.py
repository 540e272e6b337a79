"""Draw samples from a model and bring them to the form that real data has: images rounded once, points as they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ganbench.data.pixels import TOLERANCE, to_uint8
from ganbench.errors import DivergedError
from ganbench.model import Model
from ganbench.training.seeding import seed_torch

CHUNK = 500
"""Samples that a model is asked for at once, at the most."""


class SampleError(Exception):
    """What `sample` returned cannot be used; the message says why."""


def device_of(model: Model) -> torch.device:
    """Return the device that a model's parameters lie on; the CPU where it has none."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


@torch.no_grad()
def draw(
    model: Model,
    n: int,
    labels: Tensor | None,
    seed: int,
    *,
    drawn_before: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> Tensor:
    """Return n samples, leaving the model's mode and every random state as they were.

    Images come as uint8 (n, C, H, W); points, where the data's shape is (D,), as float32 (n, D), cut to [-1, 1]. The
    model is asked for at most 500 at once, under ``torch.no_grad``. `labels`, int64 (n,), are passed on only where the
    model is conditional. Of a run that drew `drawn_before` samples, the first so many come out the same again.

    Raises `SampleError` for samples of another shape or type or beyond [-1, 1], and `DivergedError` for NaN or inf.
    `tick` is called as samples come.
    """
    was_training, device = model.training, device_of(model)
    model.eval()
    try:
        with seeded(seed, device):
            parts = []
            for start, end in _chunks(n, drawn_before):
                if model.conditional:
                    samples = model.sample(end - start, None if labels is None else labels[start:end].to(device))
                else:
                    samples = model.sample(end - start)
                checked = _checked(samples, (end - start, *model.data.shape))
                parts.append(checked.clamp(-1, 1) if checked.ndim == 2 else to_uint8(checked))
                tick()
            return torch.cat(parts)
    finally:
        model.train(was_training)


def _chunks(n: int, drawn_before: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of chunks; none crosses `drawn_before`, where the chunks of an earlier draw ended."""
    start = 0
    while start < n:
        end = min(start + CHUNK, n)
        if start < drawn_before < end:
            end = drawn_before
        yield start, end
        start = end


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch, numpy and random, and put back what they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        seed_torch(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)


def _checked(samples: object, shape: tuple[int, ...]) -> Tensor:
    if not isinstance(samples, Tensor):
        raise SampleError(f"sample returned {type(samples).__name__}, not a tensor")
    if tuple(samples.shape) != shape:
        raise SampleError(f"sample returned shape {tuple(samples.shape)}, expected {shape}")
    if not samples.is_floating_point():
        raise SampleError(f"sample returned {samples.dtype}, expected floating point in [-1, 1]")
    if not bool(torch.isfinite(samples).all()):
        raise DivergedError("sample returned NaN or inf")
    low, high = float(samples.min()), float(samples.max())
    if low < -1 - TOLERANCE or high > 1 + TOLERANCE:
        raise SampleError(f"sample returned values in [{low:.3g}, {high:.3g}], beyond [-1, 1]")
    return samples.float()
