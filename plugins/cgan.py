"""Conditional GAN: Mirza & Osindero 2014 (arXiv:1411.1784), with DCGAN's networks and the non-saturating loss.

The generator takes the label as one-hot entries beside the latent. In the discriminator image and label meet in a
joint hidden layer, as in the paper: the label's one-hot entries stand beside the features that convolutions made of
the image. The paper's maxout layers are leaky linear ones, its generator's loss is the one that does not saturate,
and batches, learning rate, initial weights, averaged weights and shifted images are those of `dcgan` here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import decoder, encoder, perceptron


class Joint(nn.Module):
    """Scores images (n, *shape) with labels (n,): (n, 1)."""

    def __init__(self, features: nn.Module, hidden: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.classes = classes
        self.joint = nn.Sequential(*perceptron(hidden + classes, hidden, 1))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.features(images)
        return self.joint(torch.cat([features, F.one_hot(labels, self.classes).to(features)], 1))


class CGAN(GAN):
    name, paper, conditional = "cgan", "arXiv:1411.1784", True

    @property
    def classes(self) -> int:
        """How many conditions there are."""
        return self.data.classes

    def make_generator(self) -> nn.Module:
        config = self.config
        return decoder(self.data, config.latent_dim + self.classes, config.width, config.hidden)

    def make_discriminator(self) -> nn.Module:
        config = self.config
        features = encoder(self.data, 1, config.width, config.hidden)[:-1]
        return Joint(features, config.hidden, self.classes)

    def generate(self, generator: nn.Module, latent: Tensor, labels: Tensor | None) -> Tensor:
        if labels is None:
            labels = torch.randint(self.classes, latent.shape[:1], device=latent.device)
        return generator(torch.cat([latent, F.one_hot(labels, self.classes).to(latent)], 1))

    def score(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return D(x | y), logits (n, 1), the images having been augmented."""
        return self.discriminator(self.augment(images), labels)

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return F.softplus(-self.score(real, labels)).mean() + F.softplus(self.score(fake, labels)).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        return F.softplus(-self.score(fake, labels)).mean()


@ganbench.hookimpl
def ganbench_register_models(register):
    register(CGAN)
