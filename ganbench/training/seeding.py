"""The global generators of random numbers, seeded."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed torch (every device), numpy and random."""
    seed_torch(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def seed_torch(seed: int) -> None:
    """Do what `torch.manual_seed` does, and where there is a CPU alone, only that.

    For each kind of accelerator that has not been used, torch notes the seed with the stack that it came from: a
    millisecond, and there are thousands of draws.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
