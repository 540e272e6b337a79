"""A seed is the hash of what it depends on: neither order nor machine nor a model's name can change it."""

from __future__ import annotations

import hashlib


def derive(*names: object) -> int:
    """Return a non-negative 63-bit seed for a tuple of names."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def run_seed(train_sha256: str, seed_index: int) -> int:
    """Return the seed of a seed index on a data set: the same for every model, so that no renaming draws another."""
    return derive(train_sha256, seed_index)
