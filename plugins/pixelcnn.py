"""Gated PixelCNN: van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu 2016 (arXiv:1606.05328).

p(x) is a product of categorical distributions, pixel by pixel in reading order, each given all pixels before it. A
vertical stack sees the rows above, a horizontal one those and the pixels to the left in the row; both have gated units
tanh(a) * sigmoid(b). Convolutions are masked by their shape: kernels hold only what lies above or to the left. The
likelihood is exact. A sample computes each layer once a place, as what lies above and to the left is kept.

What differs from the paper: `levels` values of grey instead of 256, so that a sample's greys are coarse (each level is
a bin of the same width; the likelihood of grey images is that of the density which is constant within bins); colours
depend on each other only in the last layer, which is told the channels before, not through groups of features in all
layers; the networks (`layers` layers of `width`, where it has 15 or more of 128 and more), 5x5 kernels where the first
layer has 7x7; Adam instead of RMSProp. There is no conditioning on labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec


class PixelCNN(ganbench.Model):
    name, family, paper = "pixelcnn", "autoregressive", "arXiv:1606.05328"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, ganbench.Choice(8, 16, 32)] = 16
        width: Annotated[int, ganbench.Choice(16, 24, 32)] = 16
        layers: Annotated[int, ganbench.Choice(2, 3, 4)] = 3
        reach: int = 2
        levels: Annotated[int, ganbench.Choice(8, 16)] = 16
        lr: Annotated[float, ganbench.LogUniform(1e-3, 1e-2)] = 5e-3

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} reads pixels in order, and {data.name} holds points")
        channels, width = data.shape[0], config.width
        self.layers = nn.ModuleList(
            GatedLayer(channels if first else width, width, config.reach, first)
            for first in (True, *[False] * (config.layers - 1))
        )
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width + before, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, config.levels, 1))
            for before in range(channels)
        )
        self.optimizer = torch.optim.Adam(self.parameters(), lr=config.lr, fused=True)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"pixel by pixel, {config.levels} levels"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        loss = self.nats(self.quantise(batch.images)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {"nats": loss}

    def quantise(self, images: Tensor) -> Tensor:
        """Return the level of each value, int64, from values in [-1, 1]."""
        levels: int = self.config.levels
        return ((images + 1) / 2 * levels).floor().long().clamp(0, levels - 1)

    def values(self, levels: Tensor) -> Tensor:
        """Return what levels look like, from -1 to 1."""
        last: int = self.config.levels - 1
        return levels / last * 2 - 1

    def logits(self, levels: Tensor) -> Tensor:
        """Return logits (n, C, levels, H, W), each given the pixels before it, from levels (n, C, H, W)."""
        seen = self.values(levels)
        vertical = horizontal = seen
        for layer in self.layers:
            vertical, horizontal = layer(vertical, horizontal)
        found = [head(torch.cat([horizontal, seen[:, :c]], 1)) for c, head in enumerate(self.heads)]
        return torch.stack(found, 1)

    def nats(self, levels: Tensor) -> Tensor:
        """Return -log p(levels) in nats, (n,)."""
        logits = self.logits(levels).float().transpose(1, 2)
        return F.cross_entropy(logits, levels, reduction="none").flatten(1).sum(1)

    @torch.no_grad()
    def log_likelihood(self, images: Tensor) -> Tensor:
        """Return log p(x) in bits per dimension, (n,), exactly.

        Of a binary image, whose values are -1 or 1, that is the probability; of others the density.
        """
        nats = torch.cat([self.nats(self.quantise(part)) for part in images.split(50)])
        binary = (images.abs() == 1).flatten(1).all(1)
        bits = -nats / (math.log(2) * math.prod(self.data.shape))
        return torch.where(binary, bits, bits - math.log2(2 / self.config.levels))

    @property
    def stack(self) -> list[GatedLayer]:
        return [layer for layer in self.layers if isinstance(layer, GatedLayer)]

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        layers, (_, height, width) = self.stack, self.data.shape
        images = torch.zeros(n, *self.data.shape, device=next(self.parameters()).device)
        rows = [layer.start(n, height, width) for layer in layers]  # what each layer sees, filled as it comes
        for i in range(height):
            links = []
            for k, layer in enumerate(layers):
                gates, link = layer.row_above(rows[k][0], i)
                links.append(link)
                if k + 1 < len(rows):
                    layer.put(rows[k + 1][0], gates, i)
            for _, left in rows:
                left.zero_()
            for j in range(width):
                horizontal = images[:, :, i, j]
                for k, layer in enumerate(layers):
                    horizontal = layer.place(rows[k][1], horizontal, links[k][:, :, 0, j], j)
                for c, head in enumerate(self.heads):
                    told = torch.cat([horizontal, images[:, :c, i, j]], 1)
                    chances = head(told[:, :, None, None]).flatten(1).float().softmax(1)
                    images[:, c, i, j] = self.values(torch.multinomial(chances, 1)[:, 0])
                layers[0].put_place(rows[0][1], images[:, :, i, j], j)
            layers[0].put(rows[0][0], images[:, :, i : i + 1], i)
        return images


class GatedLayer(nn.Module):
    """A vertical and a horizontal convolution (figure 2), gated; the first sees no pixel at its own place.

    Features of the vertical stack at a row already know only the rows above it, so that further layers may see their
    own row of it, and their own place of the horizontal one.
    """

    def __init__(self, inputs: int, width: int, reach: int, first: bool) -> None:
        super().__init__()
        own = 0 if first else 1
        self.first, self.inputs, self.reach = first, inputs, reach
        self.vertical = nn.Conv2d(inputs, 2 * width, (reach + own, 2 * reach + 1))
        self.horizontal = nn.Conv2d(inputs, 2 * width, (1, reach + own), bias=False)
        self.link = nn.Conv2d(2 * width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, vertical: Tensor, horizontal: Tensor) -> tuple[Tensor, Tensor]:
        """Return both stacks, (n, width, H, W) each, from (n, inputs, H, W) each."""
        r, own = self.reach, horizontal
        vertical, left = F.pad(vertical, (r, r, r, 0)), F.pad(horizontal, (r, 0, 0, 0))
        if self.first:
            vertical, left = vertical[:, :, :-1], left[:, :, :, :-1]
        above = self.vertical(vertical)
        found = self.out(gate(self.link(above) + self.horizontal(left)))
        return gate(above), found if self.first else own + found

    # The same for one row and one place, to sample: `above` (n, inputs, H + reach, W + 2 reach) holds the rows that are
    # known, `left` (n, inputs, W + reach) the places of the row.

    def start(self, n: int, height: int, width: int) -> tuple[Tensor, Tensor]:
        r, like = self.reach, self.out.weight
        above = like.new_zeros(n, self.inputs, height + r, width + 2 * r)
        return above, like.new_zeros(n, self.inputs, width + r)

    def put(self, above: Tensor, row: Tensor, i: int) -> None:
        above[:, :, i + self.reach : i + self.reach + 1, self.reach : -self.reach] = row

    def put_place(self, left: Tensor, values: Tensor, j: int) -> None:
        left[:, :, j + self.reach] = values

    def row_above(self, above: Tensor, i: int) -> tuple[Tensor, Tensor]:
        """Return row i of the vertical stack, and what it adds to the horizontal one."""
        found = self.vertical(above[:, :, i : i + self.vertical.kernel_size[0]])
        return gate(found), self.link(found)

    def place(self, left: Tensor, values: Tensor, link: Tensor, j: int) -> Tensor:
        """Return place j of the horizontal stack, (n, width), from its `values` (n, inputs) a layer below."""
        if not self.first:
            self.put_place(left, values, j)
        seen = left[:, :, j : j + self.horizontal.kernel_size[1]].flatten(1)
        gated = gate(seen @ self.horizontal.weight.flatten(1).T + link)
        found = F.linear(gated, self.out.weight.flatten(1), self.out.bias)
        return found if self.first else values + found


def gate(features: Tensor) -> Tensor:
    """Return (n, width, ...) from (n, 2 width, ...)."""
    a, b = features.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(PixelCNN)
