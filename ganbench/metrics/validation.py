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


def as_given(name: str, values: Array, *, rows: int = 2) -> Tensor:
    """Return what `checked` does, but keep float32 as it is; the same errors."""
    given = values
    if isinstance(given, np.ndarray) and given.dtype == np.float32:
        given = torch.from_numpy(np.require(given, requirements=["C", "W"]))
    if isinstance(given, Tensor) and given.dtype == torch.float32 and given.device.type != "mps":
        given = given.detach()
        if given.ndim == 2 and given.shape[1] and len(given) >= rows:
            low, high = (float(value) for value in torch.aminmax(given))
            if low >= -LARGEST and high <= LARGEST:  # false for NaN too
                return given
    return checked(name, values, rows=rows)


def same_width(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Raise ValueError, as `checked_pair` does, where two sets differ in width."""
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{first_name} has {first.shape[1]} columns, {second_name} has {second.shape[1]};"
            " take both from one extractor"
        )


def enough(name: str, count: int, least: int) -> None:
    """Raise ValueError, as `checked` does, where a set has too few rows."""
    if count < least:
        raise ValueError(f"{name}: got {count} rows, needs at least {least}; give more samples")


def as_images(name: str, images: Array, *, rows: int = 1, side: int = 4) -> Tensor:
    """Return images (n, C, H, W) as a tensor on the device they lie on; ValueError where they are few, or tiny."""
    given = images if isinstance(images, Tensor) else torch.from_numpy(np.require(images, requirements=["C", "W"]))
    if given.ndim != 4 or min(given.shape[2:]) < side:
        raise ValueError(
            f"{name}: expected images (n, C, H, W) of {side}x{side} pixels or more, got {tuple(given.shape)}"
        )
    enough(name, len(given), rows)
    return given
