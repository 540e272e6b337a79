"""The surfaces of a discriminator over the plane, which a run on points leaves at the points of its curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ganbench.store.layout import SURFACES

_MOST = 1024
"""Values along a side; workers write 81, and a folder may be a stranger's."""


def read_surfaces(folder: Path) -> dict[str, NDArray[Any]]:
    """Return surfaces, float (n, n) over [-1, 1] x [-1, 1], by images seen.

    Those that cannot be drawn are left out; none are there where there is no file, or none that can be read.
    """
    try:
        found = load_file(folder / SURFACES)
    except (OSError, SafetensorError, KeyError, TypeError):  # the last two: a dtype that NumPy has not
        return {}
    return {images: level for images, level in found.items() if _can_be_drawn(level)}


def _can_be_drawn(level: NDArray[Any]) -> bool:
    return (
        level.ndim == 2
        and 2 <= level.shape[0] == level.shape[1] <= _MOST
        and np.issubdtype(level.dtype, np.floating)
        and bool(np.isfinite(level).all())
    )
