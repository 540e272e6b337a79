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

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

import ganbench
from ganbench import Choice
from ganbench_plugins.adversarial import GAN

EPSILON = 1e-8


class UnrolledGAN(GAN):
    name, paper = "unrolled-gan", "arXiv:1611.02163"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        unrolling: Annotated[int, Choice(1, 3, 5)] = 3

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        real, fake = self.augment(real), self.augment(fake)
        return F.softplus(-self.outputs(self.unroll(real, fake), fake)).mean()

    def unroll(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's weights after its next updates, flat, as a function of the generated images."""
        weights = flat(self.discriminator.parameters()).detach().requires_grad_()
        adam = DifferentiableAdam(self.discriminator_optimizer, list(self.discriminator.parameters()))
        for _ in range(self.config.unrolling):
            loss = F.softplus(-self.outputs(weights, real)).mean() + F.softplus(self.outputs(weights, fake)).mean()
            (gradient,) = torch.autograd.grad(loss, weights, create_graph=True)
            weights = adam.update(weights, gradient)
        return weights

    def outputs(self, weights: Tensor, images: Tensor) -> Tensor:
        """Return what the discriminator would give for images, had it these weights."""
        named = dict(self.discriminator.named_parameters())
        parts = weights.split([each.numel() for each in named.values()])
        shaped = {name: part.view_as(named[name]) for name, part in zip(named, parts, strict=True)}
        return functional_call(self.discriminator, shaped, images)  # type: ignore[no-any-return]


class DifferentiableAdam:
    """Adam over flat weights, whose updates can be differentiated; it goes on from where an optimizer stands."""

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
        group, states = optimizer.param_groups[0], [optimizer.state.get(each, {}) for each in parameters]
        self.lr, self.betas = group["lr"], group["betas"]
        zeros = [torch.zeros_like(each) for each in parameters]
        self.first = flat(state.get("exp_avg", zero) for state, zero in zip(states, zeros, strict=True))
        self.second = flat(state.get("exp_avg_sq", zero) for state, zero in zip(states, zeros, strict=True))
        self.steps = states[0].get("step", zeros[0].new_zeros(()))  # all have made as many

    def update(self, weights: Tensor, gradient: Tensor) -> Tensor:
        beta1, beta2 = self.betas
        self.steps = self.steps + 1
        self.first = torch.lerp(gradient, self.first, beta1)
        self.second = torch.lerp(gradient.square(), self.second, beta2)
        rate, correction = self.lr / (1 - beta1**self.steps), 1 - beta2**self.steps
        # Epsilon within the root: the slope of a root at 0, where a gradient has always been 0, is infinite.
        return weights - rate * self.first / (self.second / correction + EPSILON**2).sqrt()


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([each.flatten() for each in tensors])


@ganbench.hookimpl
def ganbench_register_models(register):
    register(UnrolledGAN)
