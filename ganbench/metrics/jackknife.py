"""How far would a score move had other samples been drawn? The delete-a-group jackknife."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganbench.metrics.validation import at_least

Samples = TypeVar("Samples", Tensor, NDArray[np.generic])


def jackknife(
    statistic: Callable[[Samples], float], samples: Samples, *, groups: int = 20, seed: int = 0
) -> tuple[float, float]:
    """Return a statistic of all samples, and its standard error from leaving out one group of them at a time.

    `samples` is (n, ...), a tensor or an array; `statistic` takes such rows and returns a float, such as
    `lambda fake: frechet_distance(real, fake)`; it is called `groups` + 1 times. Groups are random and equal to
    within one row. The error is sqrt((g - 1) / g sum_i (s_i - mean s)^2), in the statistic's units; with
    `groups` = n it is the plain jackknife, and of a mean it is exactly sd / sqrt(n). From 20 groups it is itself
    uncertain by some 16 %.

    It is the spread over samples of one trained model, and says nothing of another training seed. No sample is
    repeated, so a biased score is not biased further, as a bootstrap would (FD 10.5, bootstrap mean 11.2,
    metrics.md): every s_i has the bias of nearly n samples, which the difference removes. Not for statistics that
    jump, such as a median, nor where copies of one sample decide.

    Raises ValueError where `groups` < 2, there are fewer samples than groups, or a value is not finite. Source:
    Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17.
    """
    at_least("groups", groups, 2)
    n = len(samples)
    if n < groups:
        raise ValueError(f"samples: {n} rows do not fill {groups} groups; give more samples or fewer groups")
    value = float(statistic(samples))
    # Random, as samples may come sorted by class or deal classes in turn.
    parts = np.array_split(np.random.default_rng(seed).permutation(n), groups)
    without: list[float] = []
    for part in parts:
        kept = np.ones(n, dtype=bool)
        kept[part] = False
        if isinstance(samples, Tensor):
            without.append(float(statistic(samples[torch.from_numpy(kept).to(samples.device)])))
        else:
            without.append(float(statistic(samples[kept])))
    if not np.isfinite([value, *without]).all():
        raise ValueError("statistic: a value is not finite; look at what it returns for a part of the samples")
    return value, math.sqrt((groups - 1) * float(np.var(without)))
