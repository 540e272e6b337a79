"""The number format of training steps: float32, or bfloat16 autocast where it is asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Return the context in which a step runs (it can be entered again and again).

    Casts of weights are not cached: a step updates weights between two forward passes, and the second must see the
    new ones.
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
