"""Deep convolutional GAN: Radford, Metz, Chintala 2015 (arXiv:1511.06434), sized for small images.

What differs from the paper, so that it learns from few images within minutes:
- the networks meet the image at a quarter of its size (7x7 for 28x28), as in today's tutorials, not at 4x4;
- the discriminator ends in a hidden layer (as in InfoGAN, arXiv:1606.03657), the generator has one more convolution
  at half the image's size, and the latent has 10 dimensions instead of 100: each made digits clearer at equal budget;
- batches of 32, Adam at 1e-3 instead of 2e-4, and a running average of the generator's weights, which is what samples;
- the discriminator sees images shifted by up to `translation` pixels (DiffAugment, arXiv:2006.10738), meant to
  keep it from learning a small training set by heart.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec


def initialise(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02), batch normalisation's from N(1, 0.02), as the paper does."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


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


def normalised(layer: nn.Module, channels: int, activation: nn.Module) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(channels), activation]


class DCGAN(ganbench.Model):
    name, family, paper = "dcgan", "gan", "arXiv:1511.06434"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 32
        latent_dim: int = 10
        width: int = 24
        hidden: int = 256
        lr: float = 1e-3
        beta1: float = 0.5
        ema: float = 0.995
        translation: int = 1

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        channels, height, width = data.shape
        if height % 4 or width % 4:
            raise ValueError(f"dcgan needs sides divisible by 4, {data.name} has {height}x{width}")
        w, base = config.width, (height // 4, width // 4)
        flat = 2 * w * base[0] * base[1]
        self.generator = nn.Sequential(
            nn.Linear(config.latent_dim, flat, bias=False),
            *normalised(nn.Unflatten(1, (2 * w, *base)), 2 * w, nn.ReLU()),
            *normalised(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), w, nn.ReLU()),
            *normalised(nn.Conv2d(w, w, 3, 1, 1, bias=False), w, nn.ReLU()),
            nn.ConvTranspose2d(w, channels, 4, 2, 1),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(channels, w, 4, 2, 1),
            nn.LeakyReLU(0.2),
            *normalised(nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), 2 * w, nn.LeakyReLU(0.2)),
            nn.Flatten(),
            nn.Linear(flat, config.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(config.hidden, 1),
        )
        self.apply(initialise)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        adam = {"lr": config.lr, "betas": (config.beta1, 0.999), "fused": True}
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.updates = 0

    def judge(self, images: Tensor) -> Tensor:
        return self.discriminator(translate(images, self.config.translation))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        latent = torch.randn(len(batch.images), self.config.latent_dim, device=batch.images.device)
        fake = self.generator(latent)

        real_logits, fake_logits = self.judge(batch.images), self.judge(fake.detach())
        discriminator_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        discriminator_loss.backward()
        self.discriminator_optimizer.step()

        self.discriminator.requires_grad_(False)
        generator_loss = F.softplus(-self.judge(fake)).mean()
        self.generator_optimizer.zero_grad(set_to_none=True)
        generator_loss.backward()
        self.generator_optimizer.step()
        self.discriminator.requires_grad_(True)
        self.update_average()
        return {"discriminator": discriminator_loss, "generator": generator_loss}

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the average towards the generator; while young it follows faster, or it would recall the first noise."""
        self.updates += 1
        weight = 1 - min(self.config.ema, (1 + self.updates) / (10 + self.updates))
        current = self.generator.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(current[name], weight)
            else:
                value.copy_(current[name])

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        device = next(self.parameters()).device
        return self.average(torch.randn(n, self.config.latent_dim, device=device))

    def extra_state(self) -> dict[str, Any]:
        return {"updates": self.updates}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DCGAN)
