"""Deep convolutional GAN: Radford, Metz, Chintala 2015 (arXiv:1511.06434), sized for small images.

What differs from the paper, so that it learns from few images within minutes:
- the network starts at a quarter of the image's size (7x7 for 28x28), as in today's tutorials, not at 4x4;
- Adam at 1e-3 instead of 2e-4 and a running average of the generator's weights, which is what samples;
- the discriminator sees every image shifted at random (DiffAugment's translation, arXiv:2006.10738):
  with 3,000 images it would otherwise learn them by heart.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    n, channels, height, width = images.shape
    padded = F.pad(images, (reach,) * 4, value=-1.0)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n), device=images.device)
    rows = (dy[:, None] + torch.arange(height, device=images.device))[:, None, :, None].expand(
        -1, channels, -1, padded.shape[3]
    )
    columns = (dx[:, None] + torch.arange(width, device=images.device))[:, None, None, :].expand(
        -1, channels, height, -1
    )
    return padded.gather(2, rows).gather(3, columns)


class DCGAN(ganbench.Model):
    name, family, paper = "dcgan", "gan", "arXiv:1511.06434"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 64
        latent_dim: int = 64
        width: int = 32
        lr: float = 1e-3
        beta1: float = 0.5
        ema: float = 0.995
        translation: int = 2

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        channels, height, width = data.shape
        if height % 4 or width % 4:
            raise ValueError(f"dcgan needs sides divisible by 4, {data.name} has {height}x{width}")
        base, w = (height // 4, width // 4), config.width
        self.generator = nn.Sequential(
            nn.Linear(config.latent_dim, 2 * w * base[0] * base[1], bias=False), nn.Unflatten(1, (2 * w, *base)),
            nn.BatchNorm2d(2 * w), nn.ReLU(),
            nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(),
            nn.ConvTranspose2d(w, channels, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip
        self.discriminator = nn.Sequential(
            nn.Conv2d(channels, w, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * w), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(2 * w * base[0] * base[1], 1),
        )  # fmt: skip
        self.apply(initialise)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.ema), use_buffers=True
        )
        adam = {"lr": config.lr, "betas": (config.beta1, 0.999)}
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)

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
        self.average.update_parameters(self.generator)
        return {"discriminator": discriminator_loss, "generator": generator_loss}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        device = next(self.parameters()).device
        return self.average(torch.randn(n, self.config.latent_dim, device=device))


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DCGAN)
