"""DRAW: Gregor et al. 2015 (arXiv:1502.04623): a recurrent VAE that paints on a canvas, glimpse by glimpse.

For t = 1..T, with LSTMs for both networks and c_0 a learned start:

    e_t = x - sigma(c_{t-1}),  r_t = read(x, e_t, h'_{t-1}),  h_t = encoder(h_{t-1}, [r_t, h'_{t-1}])
    z_t ~ N(mu(h_t), sigma(h_t)),  h'_t = decoder(h'_{t-1}, z_t),  c_t = c_{t-1} + write(h'_t)

`attention` reads and writes through grids of Gaussian filters (section 3.2); without it each glimpse is the whole image
(section 3.1), which is the default here: it learns faster than where to look.
What differs from the paper: sizes and T are smaller (for MNIST it has T = 64, 256 units, 100 latents a glimpse, reads
2x2 and writes 5x5), batches are of 32 and not of 128, the learning rate is higher, Adam's first beta is 0.9
and not 0.5, and gradients are not clipped. Images are the mean of p(x | z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import DataSpec
from ganbench_plugins.vae import VAE, draw_normal, gaussian_kl, log_normal


class Filters:
    """A grid of `size` x `size` Gaussian filters for each of n images, placed by five numbers (n, 5): eqs 19-26."""

    def __init__(self, parameters: Tensor, size: int, height: int, width: int) -> None:
        x, y, log_variance, log_stride, log_intensity = parameters.float().chunk(5, dim=1)
        stride = (max(height, width) - 1) / max(size - 1, 1) * log_stride.exp()
        offsets = (torch.arange(1, size + 1, device=x.device) - size / 2 - 0.5) * stride
        self.rows = bank((height + 1) / 2 * (y + 1) + offsets, log_variance, height)
        self.columns = bank((width + 1) / 2 * (x + 1) + offsets, log_variance, width)
        self.intensity = log_intensity.exp()[:, :, None, None]

    def read(self, images: Tensor) -> Tensor:
        """Return glimpses (n, C, size, size) of images (n, C, H, W): eq. 27."""
        return self.intensity * (self.rows[:, None] @ images @ self.columns[:, None].mT)

    def write(self, glimpses: Tensor) -> Tensor:
        """Return what glimpses (n, C, size, size) leave on a canvas (n, C, H, W): eq. 29."""
        return self.rows[:, None].mT @ glimpses @ self.columns[:, None] / self.intensity


def bank(centres: Tensor, log_variance: Tensor, length: int) -> Tensor:
    """Return filters (n, size, length) round `centres` (n, size), each of sum 1: eqs 25 and 26, pixels from 1."""
    pixels = torch.arange(1, length + 1, device=centres.device)
    return (-(pixels - centres[:, :, None]).square() / (2 * log_variance.exp()[:, :, None])).softmax(2)


class DRAW(VAE):
    name, paper = "draw", "arXiv:1502.04623"

    @dataclass(frozen=True)
    class Config(VAE.Config):
        batch_size: int = 32
        latent_dim: int = 10
        hidden: Annotated[int, ganbench.Choice(128, 192, 256)] = 192
        steps: Annotated[int, ganbench.Choice(4, 8, 16)] = 8
        lr: float = 2e-3
        attention: bool = False
        read_size: int = 5
        write_size: int = 5

    def __init__(self, data: DataSpec, config: Any) -> None:
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} paints images, and {data.name} has none")
        super().__init__(data, config)

    def make_networks(self) -> None:
        (channels, height, width), config = self.data.shape, self.config
        pixels, seen, painted, placed = channels * height * width, height * width, (channels, height, width), 0
        if config.attention:
            seen, placed = config.read_size**2, 5
            painted = (channels, config.write_size, config.write_size)
        self.encoder = nn.LSTMCell(2 * channels * seen + config.hidden, config.hidden)
        self.decoder = nn.LSTMCell(config.latent_dim, config.hidden)
        self.code = nn.Linear(config.hidden, 2 * config.latent_dim)
        self.reader = nn.Linear(config.hidden, placed) if placed else nn.Identity()
        self.writer = nn.Linear(config.hidden, placed + painted[0] * painted[1] * painted[2])
        self.painted = painted
        self.canvas = nn.Parameter(torch.zeros(pixels).view(self.data.shape))

    def read(self, images: Tensor, error: Tensor, hidden: Tensor) -> Tensor:
        both = torch.cat([images, error], dim=1)
        if self.config.attention:
            both = Filters(self.reader(hidden), self.config.read_size, *self.data.shape[1:]).read(both)
        return both.flatten(1)

    def write(self, hidden: Tensor) -> Tensor:
        output = self.writer(hidden).float()
        if not self.config.attention:
            return output.unflatten(1, self.painted)
        return Filters(output[:, :5], self.config.write_size, *self.data.shape[1:]).write(
            output[:, 5:].unflatten(1, self.painted)
        )

    def start(self, n: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the canvas and the state of an LSTM before the first glimpse."""
        nothing = torch.zeros(n, self.config.hidden, device=self.canvas.device)
        return self.canvas.expand(n, *self.data.shape), (nothing, nothing)

    def unroll(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the last canvas, and, summed over steps, the KL terms (n,) and log p(z) - log q(z | x) (n,)."""
        (canvas, reading), (_, drawing) = self.start(len(images)), self.start(len(images))
        kl = ratio = torch.zeros(len(images), device=images.device)
        for _ in range(self.config.steps):
            glimpse = self.read(images, images - self.images(canvas), drawing[0])
            reading = self.encoder(torch.cat([glimpse, drawing[0]], dim=1), reading)
            mean, log_variance = self.code(reading[0]).float().chunk(2, dim=1)
            latent = draw_normal(mean, log_variance)
            drawing = self.decoder(latent, drawing)
            canvas = canvas + self.write(drawing[0])
            kl = kl + gaussian_kl(mean, log_variance)
            ratio = ratio + self.log_prior(latent) - log_normal(latent, mean, log_variance)
        return canvas, kl, ratio

    def bound(self, images: Tensor) -> dict[str, Tensor]:
        canvas, kl, _ = self.unroll(images)
        return {"reconstruction": self.nats(images, canvas).mean(), "kl": kl.mean()}

    def log_weights(self, images: Tensor, samples: int) -> Tensor:
        repeated = images.repeat(samples, 1, 1, 1)
        canvas, _, ratio = self.unroll(repeated)
        return (ratio - self.nats(repeated, canvas)).unflatten(0, (samples, -1))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        canvas, drawing = self.start(n)
        for _ in range(self.config.steps):
            drawing = self.decoder(self.latent(n), drawing)
            canvas = canvas + self.write(drawing[0])
        return self.images(canvas)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DRAW)
