"""What a discriminator says of every place of the plane: behind a picture of points it shows which modes are lost."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.model import Model
from ganbench.training.sampling import device_of, seeded

SIDE = 81
"""Places along each axis of [-1, 1]."""


@torch.no_grad()
def surface(model: Model) -> Tensor | None:
    """Return the discriminator's outputs over [-1, 1] x [-1, 1], float32 (SIDE, SIDE), a row for each y from -1 up.

    None where data are no points of the plane, and where the model has no attribute ``discriminator`` that gives one
    finite number a point. The model, its mode and every random state stay as they were.
    """
    discriminator = getattr(model, "discriminator", None)
    if tuple(model.data.shape) != (2,) or not callable(discriminator):
        return None
    device = device_of(model)
    axis = torch.linspace(-1, 1, SIDE, device=device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    was_training = model.training
    model.eval()
    try:
        with seeded(0, device):
            found = discriminator(torch.stack([x.flatten(), y.flatten()], dim=1)).float()
        if found.numel() != SIDE**2 or not bool(torch.isfinite(found).all()):
            return None
        return found.reshape(SIDE, SIDE).cpu()  # type: ignore[no-any-return]
    except Exception:  # it may be anybody's, and ask for labels or for more than points
        return None
    finally:
        model.train(was_training)
