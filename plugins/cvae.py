"""Conditional VAE: Sohn, Lee, Yan 2015; Kingma et al. 2014 (arXiv:1406.5298), whose M2 it is with all labels known.

The bound of log p(x | y): the encoder gives q(z | x, y), the decoder p(x | y, z), both told the label; the prior of z
is N(0, I) for every class. For the encoder the label's one-hot entries are further channels of the image (further
coordinates of a point), for the decoder they stand beside z, both before a hidden layer. Networks, likelihood and KL
term are those of `conv-vae` here, where Kingma et al. have perceptrons of 500 units and 50 latents, and Sohn et al. a
prior of z that depends on the label; samples are the mean of p(x | y, z).
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.layers import encoder
from ganbench_plugins.vae import log_normal


class CVAE(ConvVAE):
    name, paper, conditional = "cvae", "arXiv:1406.5298", True

    def __init__(self, data: DataSpec, config: ConvVAE.Config) -> None:
        if not data.classes:
            raise ValueError(f"{self.name} learns from labels, and {data.name} has none")
        super().__init__(data, config)

    def make_networks(self) -> None:
        config, classes = self.config, self.data.classes
        told = replace(self.data, shape=(self.data.shape[0] + classes, *self.data.shape[1:]))
        self.encoder = encoder(told, 2 * config.latent_dim, config.width, config.hidden, activation=nn.ReLU)
        self.decoder = self.make_decoder(config.latent_dim + classes)

    def tell(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Return images, points or latents (n, c, ...) with the label's one-hot entries as further channels."""
        planes = F.one_hot(labels, self.data.classes).to(inputs).view(len(labels), -1, *[1] * (inputs.ndim - 2))
        return torch.cat([inputs, planes.expand(-1, -1, *inputs.shape[2:])], 1)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return self.descend(self.bound(batch.images, batch.labels), len(batch.images))

    def bound(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.posterior(self.tell(images, labels))
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        reconstruction = self.nats(images, self.decoder(self.tell(latent, labels))).mean()
        return {"reconstruction": reconstruction, "kl": self.kl(mean, log_variance, latent).mean()}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = torch.randint(self.data.classes, (n,), device=self.log_variance.device)
        return self.images(self.decoder(self.tell(self.latent(n), labels)))

    def log_weights(self, images: Tensor, samples: int) -> Tensor:
        """Return log weights for p(x), of which each class is as likely as any other: the mean over all labels."""
        labels = torch.arange(self.data.classes, device=images.device)
        weights = [self.log_weights_of(images, label.expand(len(images)), samples) for label in labels]
        return torch.stack(weights).logsumexp(0) - math.log(len(labels))

    def log_weights_of(self, images: Tensor, labels: Tensor, samples: int) -> Tensor:
        """Return log p(x, z | y) - log q(z | x, y) in nats, (samples, n), for so many z of each image."""
        mean, log_variance = self.posterior(self.tell(images, labels))
        found = []
        for _ in range(samples):
            latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
            log_likelihood = -self.nats(images, self.decoder(self.tell(latent, labels)))
            found.append(log_likelihood + self.log_prior(latent) - log_normal(latent, mean, log_variance))
        return torch.stack(found)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(CVAE)
