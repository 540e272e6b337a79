"""What GANs share: two networks that learn in turn, a running average of the generator, and the images
that the discriminator is shown, augmented.

The losses are those of Goodfellow et al. (arXiv:1406.2661), the generator's the one that does not saturate; a model of
its own gives others, and networks where it needs others. Options that every such model has:

- `discriminator_steps` (the papers' k or n_critic): updates of the discriminator before each update of the generator.
  All of them use the same batch of real images, each with new latents and a new augmentation, so that models with
  different k see as many real images and make as many updates of the generator. (The papers draw a new batch of real
  images for each update.) The generator learns from the images that the last of these updates was shown;
- `ema`, the momentum of a running average of the generator's weights, which then is what samples (0: none);
- `translation`, `cutout`, `brightness`: the discriminator sees images, real and generated, shifted by up to so many
  pixels, with a square of so many pixels greyed, made brighter or darker by up to so much (DiffAugment,
  arXiv:2006.10738; 0: none), which keeps it from learning a small training set by heart;
- `clip_gradient`, the largest norm of each network's gradient (0: any);
- `lr_ratio`, the discriminator's learning rate divided by the generator's, which is `lr`;
- `decay_steps`, the number of the generator's updates over which both rates fall linearly to 0 (0: they do not);
- `point_scale`, for points alone: the discriminator is shown them times this factor. Modes that are narrow and close
  together in [-1, 1] are told apart sooner at the scale of the papers, which have the grid's up to 4 from the origin.

The average (momentum 0.995) and shifts of one pixel are on by default; most of the papers have neither. Each model says
in its docstring what it does. Weights are drawn as `layers.initialise` says.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, Choice, DataSpec, LogUniform
from ganbench_plugins.layers import Scaled, decoder, encoder, initialise


class GAN(ganbench.Model):
    """Networks of DCGAN, with batch normalisation, and the losses of the first paper."""

    family = "gan"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, Choice(16, 32, 64)] = 32
        latent_dim: Annotated[int, LogUniform(2, 128)] = 10
        width: int = 24
        hidden: int = 256
        lr: Annotated[float, LogUniform(3e-4, 3e-3)] = 1e-3
        beta1: float = 0.5
        beta2: float = 0.999
        discriminator_steps: int = 1
        ema: Annotated[float, Choice(0.0, 0.99, 0.995, 0.998)] = 0.995
        translation: Annotated[int, Choice(0, 1, 2)] = 1
        cutout: int = 0
        brightness: float = 0.0
        clip_gradient: float = 0.0
        lr_ratio: float = 1.0
        decay_steps: int = 0
        point_scale: float = 1.0

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        if self.conditional and not data.classes:
            raise ValueError(f"{self.name} learns from labels, and {data.name} has none")
        self.generator = self.make_generator()
        self.discriminator = self.make_discriminator()
        self.initialise()
        if len(data.shape) == 1 and config.point_scale != 1:
            self.discriminator = Scaled(self.discriminator, config.point_scale)
        self.average = copy.deepcopy(self.generator).requires_grad_(False) if config.ema else None
        self.generator_optimizer = self.make_optimizer(self.generator, config.lr)
        self.discriminator_optimizer = self.make_optimizer(self.discriminator, config.lr * config.lr_ratio)
        self.updates = 0

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "N(0, I), averaged weights" if config.ema else "N(0, I)"

    # What a model of its own replaces.

    def make_generator(self) -> nn.Module:
        return decoder(self.data, self.config.latent_dim, self.config.width, self.config.hidden)

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden)

    def make_optimizer(self, network: nn.Module, lr: float) -> torch.optim.Optimizer:
        betas = (self.config.beta1, self.config.beta2)
        return torch.optim.Adam(network.parameters(), lr, betas, fused=True)

    def initialise(self) -> None:
        initialise(self.generator)
        initialise(self.discriminator)

    def condition(self, batch: Batch) -> Tensor | None:
        """Return what both networks are told of each image, int64 (B,), or None."""
        return batch.labels if self.conditional else None

    def generate(self, generator: nn.Module, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Return images; `labels` (n,) are None where the model is not conditional."""
        return generator(latent)  # type: ignore[no-any-return]

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        """Return the loss, 0-d, from as many generated images as real ones, made for the same labels."""
        return F.softplus(-self.discriminate(real)).mean() + F.softplus(self.discriminate(fake)).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return F.softplus(-self.discriminate(fake)).mean()

    def after_discriminator(self) -> None:
        """Do what follows each update of the discriminator."""

    # What all have.

    def latent(self, n: int) -> Tensor:
        return torch.randn(n, self.config.latent_dim, device=next(self.parameters()).device)

    def discriminate(self, images: Tensor) -> Tensor:
        """Return the discriminator's outputs (n, 1), the images having been augmented."""
        return self.discriminator(self.augment(images))  # type: ignore[no-any-return]

    def augment(self, images: Tensor) -> Tensor:
        if images.ndim != 4:
            return images
        config = self.config
        return cut_out(translate(brighten(images, config.brightness), config.translation), config.cutout)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        real, labels = batch.images, self.condition(batch)
        self.decay()
        for left in reversed(range(self.config.discriminator_steps)):
            with torch.set_grad_enabled(left == 0):
                fake = self.generate(self.generator, self.latent(len(real)), labels)
            loss = self.discriminator_loss(real, fake.detach(), labels)
            self.learn(self.discriminator, self.discriminator_optimizer, loss)
            self.after_discriminator()
        self.discriminator.requires_grad_(False)
        generator_loss = self.generator_loss(real, fake, labels)
        self.learn(self.generator, self.generator_optimizer, generator_loss)
        self.discriminator.requires_grad_(True)
        self.updates += 1
        if self.average is not None:
            follow(self.average, self.generator, self.config.ema, self.updates)
        return {"discriminator": loss, "generator": generator_loss}

    def decay(self) -> None:
        """Set both rates for this step: they fall linearly to 0, which they reach after `decay_steps`."""
        if not self.config.decay_steps:
            return
        rate = self.config.lr * max(0.0, 1 - self.updates / self.config.decay_steps)
        self.generator_optimizer.param_groups[0]["lr"] = rate
        self.discriminator_optimizer.param_groups[0]["lr"] = rate * self.config.lr_ratio

    def learn(self, network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.clip_gradient:
            nn.utils.clip_grad_norm_(network.parameters(), self.config.clip_gradient)
        optimizer.step()

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        generator = self.generator if self.average is None else self.average
        return self.generate(generator, self.latent(n), labels)

    def extra_state(self) -> dict[str, Any]:
        return {"updates": self.updates}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, momentum: float, updates: int) -> None:
    """Move an average towards a network; while young it follows faster, or it would recall the first noise."""
    weight = 1 - min(momentum, (1 + updates) / (10 + updates))
    current = network.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(current[name], weight)
        else:
            value.copy_(current[name])


def translate(images: Tensor, reach: int) -> Tensor:
    """Shift each image by up to `reach` pixels either way; the background (-1) fills in."""
    if reach == 0:
        return images
    n, _, height, width = images.shape
    padded = F.pad(images, (reach,) * 4, value=-1.0)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n, 1), device=images.device)
    rows, columns = dy + torch.arange(height, device=images.device), dx + torch.arange(width, device=images.device)
    image = torch.arange(n, device=images.device)[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cut_out(images: Tensor, side: int) -> Tensor:
    """Grey a square (0) at a random place of each image; it may reach beyond the border."""
    if side == 0:
        return images
    n, _, *sides = images.shape
    inside = []
    for length in sides:
        first = torch.randint(1 - side, length, (n, 1), device=images.device)
        place = torch.arange(length, device=images.device)
        inside.append((place >= first) & (place < first + side))
    return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0.0)


def brighten(images: Tensor, reach: float) -> Tensor:
    """Add to each image a number of its own, uniform between -reach and reach."""
    if reach == 0:
        return images
    return images + (torch.rand(len(images), 1, 1, 1, device=images.device) * 2 - 1) * reach
