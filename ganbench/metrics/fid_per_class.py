"""Frechet distance class by class, for data and samples with labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganbench.metrics.fid import frechet_distance
from ganbench.metrics.validation import Array, checked_pair

Labels = Array | Sequence[int]


def per_class_frechet_distance(real: Array, real_labels: Labels, fake: Array, fake_labels: Labels) -> dict[int, float]:
    """Return, for each class of the real set in order, `frechet_distance` between its real and its fake features.

    `real` is (n, d) with (n,) integer labels, `fake` (m, d) with (m,). Each value is in squared feature units, >= 0,
    lower is better. Classes have fewer rows than the set, hence a larger bias: about 1 / rows of the class. Compare
    a class across models at equal rows, never with the distance of the whole set.

    Raises ValueError where labels are not integers, one a row; a class has fewer than 2 real or fake rows (a class
    that a model never made has no distance); fakes have a class that the real set lacks; widths differ; or a value
    is not finite. Source: Heusel et al. 2017, arXiv 1706.08500, applied to each class as in Brock et al. 2019.
    """
    x, y = checked_pair("real", real, "fake", fake)
    real_classes = _checked_labels("real_labels", real_labels, x)
    fake_classes = _checked_labels("fake_labels", fake_labels, y)
    classes = np.unique(real_classes)
    strange = np.setdiff1d(fake_classes, classes)
    if len(strange):
        raise ValueError(f"fake_labels: class {strange[0]} is not among real_labels; leave its samples out")
    pairs = {}
    for c in classes.tolist():
        pairs[c] = np.flatnonzero(real_classes == c), np.flatnonzero(fake_classes == c)
        for name, rows in zip(("real", "fake"), pairs[c], strict=True):
            if len(rows) < 2:
                raise ValueError(f"{name}: class {c} has {len(rows)} rows, needs at least 2; give more samples of it")
    return {c: frechet_distance(_take(x, rows), _take(y, others)) for c, (rows, others) in pairs.items()}


def _checked_labels(name: str, labels: Labels, rows: Tensor) -> NDArray[Any]:
    values = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if values.shape != (len(rows),) or values.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: expected {len(rows)} integers, one a row, got shape {values.shape} of {values.dtype};"
            " give class indices"
        )
    return values


def _take(rows: Tensor, at: NDArray[np.intp]) -> Tensor:
    return rows[torch.from_numpy(at).to(rows.device)]
