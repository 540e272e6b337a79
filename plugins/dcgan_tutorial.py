"""The DCGAN that TensorFlow's tutorial teaches, its networks to the letter (after arXiv:1511.06434).

For 28x28 it has the tutorial's 2,330,944 parameters in the generator (25,472 of them the moving averages of batch
normalisation) and 212,865 in the discriminator. What Keras means by its defaults is written out: batch normalisation
with momentum 0.99 and epsilon 1e-3, LeakyReLU 0.3, Glorot's uniform weights, Adam's epsilon 1e-7, and SAME padding,
which adds one row and column before and two behind. As in the tutorial weights are not averaged and images not
shifted (`ema` and `translation` turn both on). For other images the
generator's first layer and the discriminator's last grow with a quarter of the sides.
What differs: batches of 16 instead of 256, so that a short budget has enough updates, and the generator learns after
the discriminator, not beside it. `width` sizes both networks, `hidden` is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from torch import nn

import ganbench
from ganbench import DataSpec, LogUniform
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import quarter


class DCGANTutorial(GAN):
    name, paper = "dcgan-tutorial", "arXiv:1511.06434"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_size: int = 16
        latent_dim: int = 100
        width: int = 64
        lr: Annotated[float, LogUniform(5e-5, 1e-3)] = 1e-4
        beta1: float = 0.9
        dropout: float = 0.3
        ema: float = 0.0
        translation: int = 0

    def __init__(self, data: DataSpec, config: Any) -> None:
        if len(data.shape) != 3:
            raise ValueError(f"dcgan-tutorial needs images, {data.name} has points")
        super().__init__(data, config)
        for optimizer in (self.generator_optimizer, self.discriminator_optimizer):
            optimizer.param_groups[0]["eps"] = 1e-7

    def initialise(self) -> None:
        for layer in (*self.generator, *self.discriminator):
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def make_generator(self) -> nn.Module:
        (height, side), w = quarter(self.data), self.config.width
        units = 4 * w * height * side
        return nn.Sequential(
            nn.Linear(self.config.latent_dim, units, bias=False),
            nn.BatchNorm1d(units, 1e-3, 0.01),
            nn.LeakyReLU(0.3),
            nn.Unflatten(1, (4 * w, height, side)),
            nn.ConvTranspose2d(4 * w, 2 * w, 5, 1, 2, bias=False),
            nn.BatchNorm2d(2 * w, 1e-3, 0.01),
            nn.LeakyReLU(0.3),
            *doubling(2 * w, w),
            nn.BatchNorm2d(w, 1e-3, 0.01),
            nn.LeakyReLU(0.3),
            *doubling(w, self.data.shape[0]),
            nn.Tanh(),
        )

    def make_discriminator(self) -> nn.Module:
        (height, side), w = quarter(self.data), self.config.width
        return nn.Sequential(
            *halving(self.data.shape[0], w),
            nn.LeakyReLU(0.3),
            nn.Dropout(self.config.dropout),
            *halving(w, 2 * w),
            nn.LeakyReLU(0.3),
            nn.Dropout(self.config.dropout),
            nn.Flatten(),
            nn.Linear(2 * w * height * side, 1),
        )


def halving(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Return Keras's SAME convolution of stride 2, for even sides."""
    return nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(inputs, outputs, 5, 2)


def doubling(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Return Keras's SAME transposed convolution of stride 2: its 5x5 kernel reaches one row and column too far."""
    return nn.ConvTranspose2d(inputs, outputs, 5, 2, 1, bias=False), nn.ZeroPad2d((0, -1, 0, -1))


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DCGANTutorial)
