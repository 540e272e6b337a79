"""Layers and networks that several models share, sized for the data's shape.

Images (C, H, W) meet convolutions: two of stride 2 down to a quarter of each side, two transposed ones back, as in
DCGAN (arXiv:1511.06434) and InfoGAN (arXiv:1606.03657). Points (D,) meet three hidden linear layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from ganbench import DataSpec

Activation = Callable[[], nn.Module]
"""Makes an activation, such as ``nn.ReLU``."""


class Scaled(nn.Module):
    """A network that is shown its first input times a constant."""

    def __init__(self, network: nn.Module, factor: float) -> None:
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, values: Tensor, *others: Tensor) -> Tensor:
        return self.network(self.factor * values, *others)  # type: ignore[no-any-return]


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)


def perceptron(*sizes: int, activation: Activation = leaky) -> list[nn.Module]:
    """Return linear layers with activations between them."""
    layers: list[nn.Module] = []
    for size_in, size_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(size_in, size_out), activation()]
    return layers[:-1]


def initialise(network: nn.Module) -> None:
    """Draw the weights of one network.

    With batch normalisation: weights from N(0, 0.02) and scales from N(1, 0.02), as in DCGAN. Without it such weights
    would make signals fade from layer to layer: they are drawn by He's rule (arXiv:1502.01852) for leaky ReLUs of slope
    0.2, and biases are 0, as there. Networks without convolutions, those for points, keep what torch draws: zero biases
    would put all kinks of their first layer through the origin.
    """
    if not any(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in network.modules()):
        return
    normalised = any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if normalised:
                nn.init.normal_(layer.weight, 0.0, 0.02)
                continue
            # The weight of a transposed convolution has the inputs first. All entries of its kernel are counted, as by
            # torch, while an output meets a quarter of them: signals are halved there.
            inputs: Literal["fan_in", "fan_out"] = "fan_out" if isinstance(layer, nn.ConvTranspose2d) else "fan_in"
            nn.init.kaiming_normal_(layer.weight, 0.2, mode=inputs)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


def decoder(
    data: DataSpec, inputs: int, width: int, hidden: int, *, output: Activation = nn.Tanh, norm: bool = True
) -> nn.Sequential:
    """Return a network from (n, inputs) to (n, *shape).

    For images `width` is the number of channels at half their size, twice that at a quarter; for points `hidden` is
    that of units in each of three layers. `output` ends it: ``nn.Tanh`` for values in [-1, 1], ``nn.Identity`` for
    logits. `norm` puts batch normalisation behind each convolution but the last.
    """
    if len(data.shape) == 1:
        return nn.Sequential(*perceptron(inputs, *3 * [hidden], *data.shape, activation=nn.ReLU), output())
    channels, (height, side) = data.shape[0], quarter(data)
    w = width
    return nn.Sequential(
        nn.Linear(inputs, 2 * w * height * side, bias=not norm),
        nn.Unflatten(1, (2 * w, height, side)),
        *_activated(norm, 2 * w, nn.ReLU),
        nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=not norm),
        *_activated(norm, w, nn.ReLU),
        nn.Conv2d(w, w, 3, 1, 1, bias=not norm),
        *_activated(norm, w, nn.ReLU),
        nn.ConvTranspose2d(w, channels, 4, 2, 1),
        output(),
    )


def encoder(
    data: DataSpec, outputs: int, width: int, hidden: int, *, activation: Activation = leaky, norm: bool = True
) -> nn.Sequential:
    """Return a network from (n, *shape) to (n, outputs): a discriminator, where there is one output.

    Its last layer is ``network[-1]``, and what comes before gives (n, hidden). `width` and `hidden` as in `decoder`,
    but that images have a hidden layer too. `norm` puts batch normalisation behind the second convolution.
    """
    if len(data.shape) == 1:
        return nn.Sequential(*perceptron(*data.shape, *3 * [hidden], outputs, activation=activation))
    height, side = quarter(data)
    w = width
    return nn.Sequential(
        nn.Conv2d(data.shape[0], w, 4, 2, 1),
        activation(),
        nn.Conv2d(w, 2 * w, 4, 2, 1, bias=not norm),
        *_activated(norm, 2 * w, activation),
        nn.Flatten(),
        nn.Linear(2 * w * height * side, hidden),
        activation(),
        nn.Linear(hidden, outputs),
    )


def quarter(data: DataSpec) -> tuple[int, int]:
    """Return a quarter of an image's height and width; a `ValueError` where they have none."""
    _, height, width = data.shape
    if height % 4 or width % 4:
        raise ValueError(f"this network needs sides divisible by 4, {data.name} has {height}x{width}")
    return height // 4, width // 4


def _activated(norm: bool, channels: int, activation: Activation) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), activation()] if norm else [activation()]
