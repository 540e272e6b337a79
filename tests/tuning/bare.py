"""A model without a search space."""

import torch
from torch import Tensor

import ganbench


class Bare(ganbench.Model):
    name = "bare"

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.zeros(n, *self.data.shape)
