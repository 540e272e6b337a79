"""The one place where a metric's input is checked, so that nonsense is a named error and never a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = Tensor | NDArray[Any]
"""What every metric takes: a tensor on any device, or a NumPy array, of any real dtype."""

LARGEST = 1e50
"""Larger values are refused: the cubic kernel's sixth powers of them would overflow float64."""


def checked(name: str, values: Array, *, rows: int = 2) -> Tensor:
    """Return `values` as a float64 (n, d) tensor on the device it lies on, which may share the caller's memory.

    Raises ValueError, naming the argument, where `values` is not 2-D, has fewer than `rows` rows or no
    column, or holds NaN, infinity or a magnitude beyond 1e50.
    """
    matrix = _float64(values)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"{name}: expected shape (n, d), got {tuple(matrix.shape)}; give one row a sample")
    if len(matrix) < rows:
        raise ValueError(f"{name}: got {len(matrix)} rows, needs at least {rows}; give more samples")
    usable = (matrix.abs() <= LARGEST).all(dim=1)  # false for NaN too
    if not bool(usable.all()):
        bad = torch.nonzero(~usable)
        raise ValueError(
            f"{name}: {len(bad)} of {len(matrix)} rows hold NaN, infinity or values beyond {LARGEST:g}, the first"
            f" is row {int(bad[0])}; look at that sample and at what made it"
        )
    return matrix


def checked_pair(
    first_name: str, first: Array, second_name: str, second: Array, *, first_rows: int = 2, second_rows: int = 2
) -> tuple[Tensor, Tensor]:
    """Return both arrays as `checked` does, on the device of the first; ValueError where their widths differ."""
    a = checked(first_name, first, rows=first_rows)
    b = checked(second_name, second, rows=second_rows)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"{first_name} has {a.shape[1]} columns, {second_name} has {b.shape[1]}; take both from one extractor"
        )
    return a, b.to(a.device)


def at_least(name: str, value: int, least: int) -> None:
    """Raise ValueError where an integer setting is below `least`."""
    if value < least:
        raise ValueError(f"{name}={value}: must be at least {least}")


def _float64(values: Array) -> Tensor:
    if isinstance(values, Tensor):
        tensor = values.detach()
        # Apple's GPUs have no float64.
        return (tensor.cpu() if tensor.device.type == "mps" else tensor).to(torch.float64)
    # Writeable and contiguous: PyTorch warns of memory that is not (a memory-mapped .npy file).
    return torch.from_numpy(np.require(values, dtype=np.float64, requirements=["C", "W"]))
