"""How probable a model finds real images: the lower bounds that models of a known kind can give."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganbench.errors import DivergedError
from ganbench.model import Model
from ganbench.training.sampling import SampleError, seeded

IMAGES = 1000
"""Reference images that a bound is taken on: the first so many."""
CHUNK = 100


def is_given(model: Model) -> bool:
    """Tell whether a model bounds the log-likelihood of images."""
    return type(model).log_likelihood is not Model.log_likelihood


@torch.no_grad()
def log_likelihood(model: Model, images: Tensor, seed: int, *, tick: Callable[[], None] = lambda: None) -> Tensor:
    """Return what `model.log_likelihood` says, float (n,), leaving its mode and every random state as they were.

    `images` are floats (n, *shape) in [-1, 1]. Raises `SampleError` for values of another shape, `DivergedError`
    for NaN or inf.
    """
    was_training = model.training
    model.eval()
    try:
        with seeded(seed, images.device):
            parts = []
            for start in range(0, len(images), CHUNK):
                part = images[start : start + CHUNK]
                found = model.log_likelihood(part)
                if not isinstance(found, Tensor) or found.shape != part.shape[:1]:
                    raise SampleError(f"log_likelihood returned no tensor of shape ({len(part)},)")
                parts.append(found.float())
                tick()
            whole = torch.cat(parts)
    finally:
        model.train(was_training)
    if not bool(torch.isfinite(whole).all()):
        raise DivergedError("log_likelihood returned NaN or inf")
    return whole
