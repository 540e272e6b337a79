"""Unrolled generative adversarial networks: Metz et al. 2016 (arXiv:1611.02163).

The generator's loss is taken against the discriminator as it would be after `unrolling` further updates (the paper's
K) on the same batch, and its gradient goes through these updates: the generator sees how the discriminator would answer
to what it does. The discriminator itself then keeps one update a step. 0 unrolled updates are the usual GAN.

The unrolled updates are Adam's, with the moments that the discriminator's optimizer has at that time, as in the
authors' code. Plain gradient steps would need a learning rate of their own to come as far as Adam does.
What differs from the paper: networks, averaged weights, shifted images (shifted once, the same in all unrolled
updates), batches, rates and betas are those of `dcgan` here (for the ring the paper has two layers of 128, 256 latent
dimensions, batches of 512, Adam at 1e-4); the discriminator learns before the generator does, not at once with it; 3
updates are unrolled instead of 5 to 10, since each costs about as much as a whole step of `dcgan`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

import ganbench
from ganbench_plugins.adversarial import GAN

EPSILON = 1e-8
Weights = dict[str, Tensor]


class UnrolledGAN(GAN):
    name, paper = "unrolled-gan", "arXiv:1611.02163"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        unrolling: int = 3

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        real, fake = self.augment(real), self.augment(fake)
        weights = self.unroll(real, fake)
        return F.softplus(-functional_call(self.discriminator, weights, fake)).mean()

    def unroll(self, real: Tensor, fake: Tensor) -> Weights:
        """Return the discriminator's weights after its next updates, as functions of the generated images."""
        weights = {name: value.detach().requires_grad_() for name, value in self.discriminator.named_parameters()}
        adam = DifferentiableAdam(self.discriminator_optimizer, self.discriminator)
        for _ in range(self.config.unrolling):
            on_real, on_fake = (functional_call(self.discriminator, weights, images) for images in (real, fake))
            loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            weights = adam.update(weights, gradients)
        return weights


class DifferentiableAdam:
    """Adam whose updates can be differentiated; it goes on from where an optimizer of a network's weights stands."""

    def __init__(self, optimizer: torch.optim.Optimizer, network: nn.Module) -> None:
        group = optimizer.param_groups[0]
        self.lr, self.betas = group["lr"], group["betas"]
        states = [optimizer.state.get(weight, {}) for weight in network.parameters()]
        zeros = [torch.zeros_like(weight) for weight in network.parameters()]
        self.first = [state.get("exp_avg", zero) for state, zero in zip(states, zeros, strict=True)]
        self.second = [state.get("exp_avg_sq", zero) for state, zero in zip(states, zeros, strict=True)]
        # Of all weights alike, and left on the device.
        self.steps = states[0].get("step", zeros[0].new_zeros(()))

    def update(self, weights: Weights, gradients: tuple[Tensor, ...]) -> Weights:
        """Return new weights, in place of an update of those that are given."""
        beta1, beta2 = self.betas
        self.steps = self.steps + 1
        self.first = [torch.lerp(g, m, beta1) for m, g in zip(self.first, gradients, strict=True)]
        self.second = [torch.lerp(g.square(), v, beta2) for v, g in zip(self.second, gradients, strict=True)]
        rate, correction = self.lr / (1 - beta1**self.steps), 1 - beta2**self.steps
        # Epsilon within the root: the slope of a root at 0, where a gradient has always been 0, is infinite.
        return {
            name: weight - rate * m / (v / correction + EPSILON**2).sqrt()
            for (name, weight), m, v in zip(weights.items(), self.first, self.second, strict=True)
        }


@ganbench.hookimpl
def ganbench_register_models(register):
    register(UnrolledGAN)
