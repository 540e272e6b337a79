"""VAE (arXiv:1312.6114) whose encoder and decoder are LSTMs over the rows of an image, as Bowman et al. 2016 have it
for sentences (arXiv:1511.06349): the recurrent model without DRAW's canvas and glimpses.

The encoder reads rows from the top, both ways, and its last states give the posterior. The decoder is given the latent
at each row, and never the rows before it: so that it cannot do without the latent, and needs no annealing of the KL
term and no dropping of words, which the paper has. What else differs: rows of grey values take the place of embedded
words, with a Bernoulli likelihood; both LSTMs run both ways (the paper's decoder, which reads what it wrote, cannot); a
learned vector tells the decoder which row it writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import DataSpec
from ganbench_plugins.vae import VAE


class ReadRows(nn.Module):
    """From images (n, C, H, W) to (n, outputs)."""

    def __init__(self, row: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(row, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, outputs)

    def forward(self, images: Tensor) -> Tensor:
        _, (last, _) = self.lstm(images.transpose(1, 2).flatten(2))
        return self.head(torch.cat([*last], dim=1))  # type: ignore[no-any-return]


class WriteRows(nn.Module):
    """From latents (n, latent_dim) to images (n, C, H, W)."""

    def __init__(self, latent_dim: int, hidden: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.channels, self.rows, width = shape
        self.place = nn.Parameter(0.1 * torch.randn(self.rows, hidden))
        self.inner = nn.Sequential(nn.Linear(latent_dim, hidden), nn.ReLU())
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, self.channels * width)

    def forward(self, latent: Tensor) -> Tensor:
        states, _ = self.lstm(self.inner(latent)[:, None] + self.place)
        return self.head(states).unflatten(2, (self.channels, -1)).transpose(1, 2)  # type: ignore[no-any-return]


class LSTMVAE(VAE):
    name, paper = "lstm-vae", "arXiv:1511.06349"
    autocast = False  # oneDNN has no bfloat16 LSTM for processors without bfloat16 units, and raises

    @dataclass(frozen=True)
    class Config(VAE.Config):
        latent_dim: int = 12
        hidden: Annotated[int, ganbench.Choice(64, 128, 192)] = 128
        lr: float = 2e-3

    def __init__(self, data: DataSpec, config: Any) -> None:
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} reads images row by row, and {data.name} has none")
        super().__init__(data, config)

    def make_networks(self) -> None:
        (channels, _, width), config = self.data.shape, self.config
        self.encoder = ReadRows(channels * width, config.hidden, 2 * config.latent_dim)
        self.decoder = WriteRows(config.latent_dim, config.hidden, self.data.shape)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(LSTMVAE)
