"""Draw samples from a model and bring them to the form that real data has: images rounded once, points as they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ganbench.errors import DivergedError
from ganbench.model import Model

CHUNK = 500
TOLERANCE = 1e-3
"""How far beyond [-1, 1] a value may lie before it is an error and not rounding."""


class SampleError(Exception):
    """What `sample` returned cannot be scored; the message says why."""


def to_uint8(samples: Tensor) -> Tensor:
    """Map float [-1, 1] to uint8: clamp, scale, round half to even."""
    return samples.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


@torch.no_grad()
def draw(model: Model, n: int, labels: Tensor | None, seed: int, *, tick: Callable[[], None] = lambda: None) -> Tensor:
    """Return n samples, leaving the model's mode and every random state as they were.

    Images come as uint8 (n, C, H, W); points, where the data's shape is (D,), as float32 (n, D), cut to [-1, 1].

    `labels`, int64 (n,), are passed on only where the model is conditional. Raises `SampleError` for samples of
    another shape or type or beyond [-1, 1], and `DivergedError` for NaN or inf. `tick` is called as samples come.
    """
    was_training = model.training
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    model.eval()
    try:
        with seeded(seed, device):
            parts = []
            for start in range(0, n, CHUNK):
                size = min(CHUNK, n - start)
                chosen = labels[start : start + size] if model.conditional and labels is not None else None
                samples = model.sample(size, chosen) if model.conditional else model.sample(size)
                checked = _checked(samples, (size, *model.data.shape))
                parts.append(checked.clamp(-1, 1) if checked.ndim == 2 else to_uint8(checked))
                tick()
            return torch.cat(parts)
    finally:
        model.train(was_training)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch, numpy and random, and put back what they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
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
