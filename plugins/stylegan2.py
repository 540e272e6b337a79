"""StyleGAN2: Karras et al. 2019 (arXiv:1912.04958), with adaptive augmentation (arXiv:2006.06676), in small.

A mapping network turns the latent into a style w, which scales the kernels of each of the generator's convolutions.
These start from a learned constant, and each adds noise of a learned strength. Each resolution adds to the image
through a convolution of its own (output skips). The discriminator is residual and is told how much the images of a
batch differ. The loss does not saturate; R1, weighed gamma / 2, is computed at every `r1_interval`-th update only, and
is so many times as heavy there. Learning rates are equalised, and samples come from a running average of the generator.

`augment` is the probability p of augmentations at the start. `ada_target` is the mean sign of the discriminator's
outputs on real images that p is adapted to hold (0: p is fixed). `flips` adds mirror images to the augmentations.
`mixing` is the probability that an image takes the styles of its later layers from another latent in training.

What differs from the papers:

- there are three resolutions, from a quarter of the image's sides, with 4, 2 and 1 times `width` channels, two mapping
  layers (`mapping_layers`; 8 in the first paper, 2 in the second for CIFAR-10), and latents and styles of 64 (512);
- the discriminator halves sides by means of 2x2 pixels and by convolutions of stride 2 without a filter;
- R1 is part of the update in which it is due (the authors make an update of its own), and is taken at the augmented
  images; there is no path length regularisation (the second paper has none for CIFAR-10), and no truncation;
- `mixing` is 0, as in the second paper for CIFAR-10 (0.9 in the first);
- batches are of 32 images, the average of weights has momentum 0.995 an update (as that of all GANs here), and Adam
  runs at 2e-3 with betas (0, 0.99), as in the first paper;
- p goes from 0 to 1 within 20,000 images at the fastest (500,000), as fewer are seen; `ada.py` says which of the
  paper's augmentations there are. Shifts of DiffAugment, which other GANs here have, are off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import DataSpec
from ganbench_plugins.ada import AdaptiveAugmentation
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import quarter
from ganbench_plugins.resampling import halve
from ganbench_plugins.slopes import input_gradient
from ganbench_plugins.stylegan2_layers import (
    EqualConv2d,
    EqualLinear,
    ModulatedConv2d,
    StyledConv2d,
    leaky,
    minibatch_deviation,
    pixel_norm,
    upsample,
)


class Generator(nn.Module):
    """From latents (n, latent_dim) to styles (n, styles), from styles of all layers to images (n, C, H, W)."""

    def __init__(self, data: DataSpec, latent_dim: int, styles: int, width: int, mapping_layers: int) -> None:
        super().__init__()
        channels, sizes = data.shape[0], [4 * width, 2 * width, width]
        inputs = [latent_dim] + [styles] * (mapping_layers - 1)
        self.mapping = nn.ModuleList(EqualLinear(each, styles, rate=0.01) for each in inputs)
        self.constant = nn.Parameter(torch.randn(1, sizes[0], *quarter(data)))
        self.convolutions = nn.ModuleList([StyledConv2d(sizes[0], sizes[0], styles)])
        for before, after in zip(sizes, sizes[1:], strict=False):
            self.convolutions.append(StyledConv2d(before, after, styles, up=True))
            self.convolutions.append(StyledConv2d(after, after, styles))
        self.to_image = nn.ModuleList(ModulatedConv2d(size, channels, 1, styles, demodulate=False) for size in sizes)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.layers = len(self.convolutions) + 1

    def style(self, latent: Tensor) -> Tensor:
        w = pixel_norm(latent)
        for layer in self.mapping:
            w = leaky(layer(w))
        return w

    def synthesise(self, w: Tensor) -> Tensor:
        """Return images from each layer's styles, (layers, n, styles)."""
        features = self.convolutions[0](self.constant.expand(w.shape[1], -1, -1, -1), w[0])
        image = self.to_image[0](features, w[1]) + self.bias
        for number, to_image in enumerate(self.to_image[1:]):
            first = 2 * number + 1
            features = self.convolutions[first](features, w[first])
            features = self.convolutions[first + 1](features, w[first + 1])
            image = upsample(image) + to_image(features, w[first + 2])
        return image

    def forward(self, latent: Tensor) -> Tensor:
        return self.synthesise(self.style(latent).expand(self.layers, -1, -1))


class ResidualBlock(nn.Module):
    """Two convolutions beside one of 1x1; halves the sides."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3)
        self.second = EqualConv2d(inputs, outputs, 3, stride=2)
        self.skip = EqualConv2d(inputs, outputs, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        return (leaky(self.second(leaky(self.first(images)))) + self.skip(halve(images))) / math.sqrt(2)


class Discriminator(nn.Module):
    """Scores images (n, C, H, W): (n, 1)."""

    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__()
        height, side = quarter(data)
        self.from_image = EqualConv2d(data.shape[0], width, 1)
        self.blocks = nn.Sequential(ResidualBlock(width, 2 * width), ResidualBlock(2 * width, 4 * width))
        self.last = EqualConv2d(4 * width + 1, 4 * width, 3)
        self.hidden = EqualLinear(4 * width * height * side, 4 * width)
        self.output = EqualLinear(4 * width, 1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.blocks(leaky(self.from_image(images)))
        features = leaky(self.last(minibatch_deviation(features)))
        return self.output(leaky(self.hidden(features.flatten(1))))  # type: ignore[no-any-return]


class StyleGAN2(GAN):
    name, paper = "stylegan2", "arXiv:1912.04958"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        latent_dim: Annotated[int, ganbench.Choice(16, 32, 64, 128)] = 64
        width: int = 8
        hidden: int = 64
        mapping_layers: int = 2
        lr: Annotated[float, ganbench.LogUniform(1e-3, 2e-2)] = 2e-3
        beta1: float = 0.0
        beta2: float = 0.99
        translation: int = 0
        gamma: Annotated[float, ganbench.LogUniform(1e-3, 10.0)] = 0.1
        r1_interval: int = 8
        mixing: float = 0.0
        augment: float = 0.0
        ada_target: Annotated[float, ganbench.Choice(0.0, 0.3, 0.6)] = 0.6
        flips: bool = False

    def __init__(self, data: DataSpec, config: Any) -> None:
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} makes images, and {data.name} has none")
        super().__init__(data, config)
        self.augmentation = AdaptiveAugmentation(config.augment, config.ada_target, flips=config.flips)
        self.discriminator_updates = 0

    def make_generator(self) -> nn.Module:
        config = self.config
        return Generator(self.data, config.latent_dim, config.hidden, config.width, config.mapping_layers)

    def make_discriminator(self) -> nn.Module:
        return Discriminator(self.data, self.config.width)

    def initialise(self) -> None:
        """Equalised layers have drawn their weights."""

    def generate(self, generator: nn.Module, latent: Tensor, labels: Tensor | None) -> Tensor:
        if not (self.training and self.config.mixing):
            return generator(latent)  # type: ignore[no-any-return]
        w, other = generator.style(latent), generator.style(self.latent(len(latent)))
        return generator.synthesise(self.mixed(w, other, generator.layers))  # type: ignore[no-any-return]

    def mixed(self, w: Tensor, other: Tensor, layers: int) -> Tensor:
        """Return styles (layers, n, styles): the first as far as a layer drawn for each image, then the other."""
        crossover = torch.randint(1, layers, (len(w),), device=w.device)
        crossover = crossover.where(torch.rand(len(w), device=w.device) < self.config.mixing, layers)
        early = torch.arange(layers, device=w.device)[:, None] < crossover
        return torch.where(early[:, :, None], w, other)

    def augment(self, images: Tensor) -> Tensor:
        return super().augment(self.augmentation(images))

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        self.discriminator_updates += 1
        regularised = self.discriminator_updates % self.config.r1_interval == 0
        real = self.augment(real).detach().requires_grad_(regularised)
        logits = self.discriminator(real)
        self.augmentation.observe(logits)
        loss = F.softplus(-logits).mean() + F.softplus(self.discriminate(fake)).mean()
        if regularised:
            r1 = input_gradient(logits, real).square().sum(1).mean()
            loss = loss + self.config.r1_interval * 0.5 * self.config.gamma * r1
        return loss

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return super().sample(n, labels).clamp(-1, 1)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(StyleGAN2)
