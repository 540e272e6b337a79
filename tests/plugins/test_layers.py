"""How weights are drawn: DCGAN's way where batch normalisation follows, He's elsewhere, torch's for points."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.model import DataSpec
from ganbench_plugins.layers import decoder, encoder, initialise

SPEC, POINTS = DataSpec((1, 28, 28), 0, "toy", 64), DataSpec((2,), 0, "toy", 64)


def drawn(network: nn.Sequential) -> list[nn.Module]:
    torch.manual_seed(0)
    initialise(network)
    return [layer for layer in network if getattr(layer, "weight", None) is not None]


@pytest.mark.parametrize("make", [decoder, encoder])
def test_normalised_networks_have_the_weights_of_dcgan(make: type) -> None:
    for layer in drawn(make(SPEC, 10, 24, 256)):
        mean = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
        weight = layer.weight.detach()
        assert float(weight.mean()) == pytest.approx(mean, abs=0.02)
        assert float(weight.std()) == pytest.approx(0.02, rel=0.4)


@pytest.mark.parametrize(
    ("network", "data"),
    [
        (decoder(SPEC, 10, 24, 256, output=nn.Identity, norm=False), torch.randn(200, 10)),
        (encoder(SPEC, 10, 24, 256, norm=False), torch.randn(200, 1, 28, 28)),
    ],
    ids=["decoder", "encoder"],
)
def test_signals_do_not_fade_in_networks_without_normalisation(network: nn.Module, data: torch.Tensor) -> None:
    drawn(network)
    least = 0.5
    with torch.no_grad():
        for layer in network:
            least /= 2 if isinstance(layer, nn.ConvTranspose2d) else 1
            data = layer(data)
            assert least < float(data.square().mean().sqrt()) < 2, layer


def test_biases_are_zero_beside_hes_weights_and_stay_beside_dcgans() -> None:
    for norm in (False, True):
        network = encoder(SPEC, 1, 24, 256, norm=norm)
        before = network[0].bias.detach().clone()
        initialise(network)
        assert torch.equal(network[0].bias, before if norm else torch.zeros_like(before)) and before.any()


@pytest.mark.parametrize("make", [decoder, encoder])
def test_networks_for_points_keep_what_torch_draws(make: type) -> None:
    network = make(POINTS, 2, 24, 16)
    before = nn.utils.parameters_to_vector(network.parameters())
    assert len(drawn(network)) == 4, "three hidden layers"
    assert torch.equal(before, nn.utils.parameters_to_vector(network.parameters()))
