"""Scoring inside somebody else's program, which finds its global state as it was and does not change a score."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Compute in float32, without autocast or inference mode, whatever the caller has; gradients are left to callees.

    Afterwards the random states of torch, numpy and random are what they were, and so is torch's default dtype.
    """
    numpy_state, python_state, dtype = np.random.get_state(), random.getstate(), torch.get_default_dtype()
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast(device.type, enabled=False),
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
    ):
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            np.random.set_state(numpy_state)
            random.setstate(python_state)
