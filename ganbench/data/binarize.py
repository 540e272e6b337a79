"""Grey images in black and white, drawn once and for all: the static binarisation that likelihoods are given for."""

from __future__ import annotations

import numpy as np


def binarise(images: np.ndarray, seed: int) -> np.ndarray:
    """Return each pixel v (uint8) as 255 with probability v / 255, else as 0; a seed always gives the same.

    The draws are 16 bits each of PCG64's raw output, which no version of numpy may change: they are right to 1.6e-5,
    and 0 and 255 stay what they are.
    """
    bits = np.random.PCG64(seed)
    chances = -(-np.arange(256) * 65536 // 255)  # rounded up, so that 255 has all of 65536
    binary = np.empty_like(images)
    for first in range(0, len(images), 1000):
        part = images[first : first + 1000]
        drawn = bits.random_raw(-(-part.size // 4)).astype("<u8").view("<u2")[: part.size].reshape(part.shape)
        binary[first : first + 1000] = np.where(drawn < chances[part], 255, 0)
    return binary
