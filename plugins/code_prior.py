"""An autoregressive prior over a grid of codes: a PixelCNN (arXiv:1601.06759) of one wide causal convolution.

Behind it stands a perceptron at each place, and nothing else looks at other places: so a draw computes each place once,
where deeper stacks would compute the whole grid for each.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Prior(nn.Module):
    """p(codes): each place given those above, and left of it in its row, that lie within `reach`."""

    def __init__(self, codes: int, grid: tuple[int, int], width: int, reach: int) -> None:
        super().__init__()
        self.grid, self.reach = grid, reach
        self.embedding = nn.Embedding(codes, 16)
        self.above = nn.Conv2d(16, width, (reach, 2 * reach + 1))
        self.left = nn.Conv2d(16, width, (1, reach), bias=False)
        self.place = nn.Parameter(torch.zeros(width, *grid))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, codes, 1))

    def forward(self, chosen: Tensor) -> Tensor:
        """Return logits (n, codes, h, w) from codes (n, h, w)."""
        return self.logits(self.padded(chosen), self.place)

    def padded(self, chosen: Tensor) -> Tensor:
        """Return embedded codes with `reach` empty places above, left and right."""
        return F.pad(self.embedding(chosen).permute(0, 3, 1, 2), (self.reach, self.reach, self.reach, 0))

    def logits(self, padded: Tensor, place: Tensor) -> Tensor:
        r = self.reach
        above, left = self.above(padded[:, :, :-1]), self.left(padded[:, :, r:, : -r - 1])
        return self.head(above + left + place)  # type: ignore[no-any-return]

    def nats(self, chosen: Tensor) -> Tensor:
        """Return -log p(codes) in nats, (n,)."""
        return F.cross_entropy(self(chosen).float(), chosen, reduction="none").sum((1, 2))

    def sample(self, n: int) -> Tensor:
        """Return draws, (n, h, w), place by place."""
        height, width, r = *self.grid, self.reach
        chosen = torch.zeros(n, height, width, dtype=torch.long, device=self.place.device)
        padded = torch.zeros_like(self.padded(chosen))
        for i in range(height):
            for j in range(width):
                seen = padded[:, :, i : i + r + 1, j : j + 2 * r + 1]
                logits = self.logits(seen, self.place[:, i : i + 1, j : j + 1])
                chosen[:, i, j] = torch.multinomial(logits.flatten(1).float().softmax(1), 1)[:, 0]
                padded[:, :, r + i, r + j] = self.embedding(chosen[:, i, j])
        return chosen
