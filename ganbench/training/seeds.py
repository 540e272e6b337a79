"""A seed is the hash of the names it depends on: neither order nor machine can change it."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def derive(*names: object) -> int:
    """Return a non-negative 63-bit seed for a tuple of names."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def seed_everything(seed: int) -> None:
    """Seed torch (every device), numpy and random."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
