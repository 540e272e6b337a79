"""The layers that PyTorch's tutorials teach, by their sizes and kinds."""

from __future__ import annotations

from torch import nn

from ganbench.model import DataSpec
from ganbench_plugins.mlp_bn import MLPBN


def test_networks_are_those_of_the_tutorials() -> None:
    model = MLPBN(DataSpec((1, 28, 28), 0, "toy", 64), MLPBN.Config())
    for network, sizes in (
        (model.generator, [100, 128, 256, 512, 1024, 784]), (model.discriminator, [784, 512, 256, 1])
    ):  # fmt: skip
        linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        assert [layer.in_features for layer in linear] + [linear[-1].out_features] == sizes
        slopes = {layer.negative_slope for layer in network.modules() if isinstance(layer, nn.LeakyReLU)}
        assert slopes == {0.2}
    normalised = [layer.num_features for layer in model.generator.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert normalised == [256, 512, 1024]
    dropped = [layer.p for layer in model.discriminator.modules() if isinstance(layer, nn.Dropout)]
    assert dropped == [0.3, 0.3]


def test_it_shows_images_as_they_are_and_samples_from_the_generator_itself() -> None:
    config = MLPBN.Config()
    assert (config.lr, config.beta1, config.ema, config.translation) == (1e-3, 0.5, 0.0, 0)
    model = MLPBN(DataSpec((2,), 0, "toy", 64), MLPBN.Config())
    assert model.average is None and MLPBN.sampler(config) == "N(0, I)"
    assert MLPBN(DataSpec((2,), 0, "toy", 64), MLPBN.Config(ema=0.9)).average is not None
