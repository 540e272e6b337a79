"""The slope of a network's output along its input, which gradient penalties hold to something."""

from __future__ import annotations

import torch
from torch import Tensor


def input_gradient(outputs: Tensor, images: Tensor) -> Tensor:
    """Return the gradient of each image's output with respect to it, (n, values), itself differentiable."""
    (gradient,) = torch.autograd.grad(outputs.sum(), images, create_graph=True)
    return gradient.flatten(1).float()
