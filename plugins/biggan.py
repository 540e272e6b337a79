"""BigGAN: Brock et al. 2018 (arXiv:1809.11096), conditional, in small.

The label enters the generator as scale and shift of each batch normalisation, linear in an embedding that all layers
share and in a chunk of the latent that each block has to itself; the discriminator projects on the label. Both networks
are residual, drawn orthogonally and spectrally normalised, with one power iteration an update, and attend to all places
at half of the image's sides (self-attention of SAGAN, arXiv:1805.08318). Hinge loss, a running average of the
generator. `truncation` is the paper's trick: samples are drawn from N(0, 1) cut at plus and minus so much (0: not cut).

What differs: two residual blocks from a quarter of the image's sides, few channels (4, 2 and 1 times `width`), an
embedding of 16 instead of 128, latents of 30; batches of 32 instead of 256 to 2,048, `discriminator_steps` 1 instead of
2, one learning rate of 1e-3 for both networks instead of 5e-5 and 2e-4 with betas (0, 0.999); the average has momentum
0.995 an update instead of 0.9999, and averages batch normalisation's statistics, which the paper recomputes; images are
shifted by up to one pixel; no orthogonal regularisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

import ganbench
from ganbench import DataSpec
from ganbench_plugins.biggan_layers import (
    DiscriminatorBlock,
    GeneratorBlock,
    SelfAttention,
    SumPool,
)
from ganbench_plugins.layers import quarter
from ganbench_plugins.projection_gan import Projection, ProjectionGAN
from ganbench_plugins.spectral import iterate, normalise_spectrally

BLOCKS = 2


class Generator(nn.Module):
    """From latents (n, latent_dim) and labels (n,) to images (n, C, H, W)."""

    def __init__(self, data: DataSpec, latent_dim: int, embedding: int, width: int) -> None:
        super().__init__()
        height, side = quarter(data)
        first, *others = [len(chunk) for chunk in torch.empty(latent_dim).tensor_split(1 + BLOCKS)]
        self.embedding = nn.Embedding(data.classes, embedding)
        self.linear = nn.Linear(first, 4 * width * height * side)
        self.start = nn.Unflatten(1, (4 * width, height, side))
        sizes = [4 * width, 2 * width, width]
        self.blocks = nn.ModuleList(
            GeneratorBlock(before, after, embedding + chunk)
            for before, after, chunk in zip(sizes, sizes[1:], others, strict=False)
        )
        self.attention = SelfAttention(2 * width)
        self.end = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, data.shape[0], 3, padding=1))

    def forward(self, latent: Tensor, labels: Tensor) -> Tensor:
        first, *others = latent.tensor_split(1 + BLOCKS, 1)
        conditions = [torch.cat([self.embedding(labels), chunk], 1) for chunk in others]
        features = self.blocks[0](self.start(self.linear(first)), conditions[0])
        features = self.blocks[1](self.attention(features), conditions[1])
        return torch.tanh(self.end(features))


class BigGAN(ProjectionGAN):
    name, paper = "biggan", "arXiv:1809.11096"

    @dataclass(frozen=True)
    class Config(ProjectionGAN.Config):
        latent_dim: Annotated[int, ganbench.Choice(12, 30, 60)] = 30
        width: int = 8
        embedding: int = 16
        lr: Annotated[float, ganbench.LogUniform(2e-4, 4e-3)] = 1e-3
        beta1: float = 0.0
        beta2: float = 0.999
        truncation: Annotated[float, ganbench.Choice(0.0, 1.0, 1.5, 2.0)] = 0.0

    def __init__(self, data: DataSpec, config: Any) -> None:
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} makes images, and {data.name} has none")
        super().__init__(data, config)

    @classmethod
    def sampler(cls, config: Any) -> str:
        cut = f"N(0, I) cut at {config.truncation:g}" if config.truncation else "N(0, I)"
        return f"{cut}, averaged weights" if config.ema else cut

    def make_generator(self) -> nn.Module:
        return Generator(self.data, self.config.latent_dim, self.config.embedding, self.config.width)

    def make_discriminator(self) -> nn.Module:
        quarter(self.data)
        width = self.config.width
        phi = nn.Sequential(
            DiscriminatorBlock(self.data.shape[0], width, raw=True),
            SelfAttention(width),
            DiscriminatorBlock(width, 2 * width),
            DiscriminatorBlock(2 * width, 4 * width, down=False),
            SumPool(),
        )
        return Projection(phi, 4 * width, self.data.classes)

    def initialise(self) -> None:
        for network in (self.generator, self.discriminator):
            for layer in network.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding) and layer.weight.numel():
                    nn.init.orthogonal_(layer.weight)
                    if getattr(layer, "bias", None) is not None:
                        nn.init.zeros_(layer.bias)
            if self.config.spectral:
                normalise_spectrally(network)

    def generate(self, generator: nn.Module, latent: Tensor, labels: Tensor | None) -> Tensor:
        if labels is None:
            labels = torch.randint(self.data.classes, latent.shape[:1], device=latent.device)
        return generator(latent, labels)  # type: ignore[no-any-return]

    def learn(self, network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        super().learn(network, optimizer, loss)
        if network is self.generator:
            iterate(network)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        generator = self.generator if self.average is None else self.average
        latent, cut = self.latent(n), self.config.truncation
        if cut:
            nn.init.trunc_normal_(latent, a=-cut, b=cut)
        return self.generate(generator, latent, labels)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(BigGAN)
