"""The GAN is dead; long live the GAN!: Huang et al. 2024 (arXiv:2501.05441), the objective of R3GAN, in small.

The relativistic pairing loss compares each generated image with a real one, and zero-centred gradient penalties on
real (R1) and on generated images (R2), each weighed gamma / 2, make it converge; `fake_penalty=False` leaves R2 out. No
normalisation in either network, Adam without momentum, a running average of the generator, as in the paper. What
differs: dcgan's small networks, drawn by He's rule, take the place of residual ones of grouped convolutions, drawn by
Fix-up; the learning rate, beta2, the average and gamma are constant (the authors move them, gamma on CIFAR-10 from 0.05
to 0.005); images are shifted by up to one pixel (the authors: flips, and augmentation of colours and shapes on some
data).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import LogUniform
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import decoder, encoder
from ganbench_plugins.slopes import input_gradient


class R3GAN(GAN):
    name, paper = "r3gan", "arXiv:2501.05441"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        beta1: float = 0.0
        beta2: float = 0.99
        gamma: Annotated[float, LogUniform(0.005, 5)] = 1.0
        fake_penalty: bool = True

    def make_generator(self) -> nn.Module:
        return decoder(self.data, self.config.latent_dim, self.config.width, self.config.hidden, norm=False)

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden, norm=False)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        real, fake = (self.augment(images).detach().requires_grad_() for images in (real, fake))
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        pairing = F.softplus(fake_logits - real_logits).mean()
        penalty = input_gradient(real_logits, real).square().sum(1).mean()
        if self.config.fake_penalty:
            penalty = penalty + input_gradient(fake_logits, fake).square().sum(1).mean()
        return pairing + 0.5 * self.config.gamma * penalty

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return F.softplus(self.discriminate(real) - self.discriminate(fake)).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(R3GAN)
