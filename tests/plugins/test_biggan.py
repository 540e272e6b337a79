"""Self-attention, conditional batch normalisation and spectral normalisation by hand; latents in chunks, truncation."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from ganbench.model import Batch, DataSpec
from ganbench_plugins.biggan import BigGAN
from ganbench_plugins.biggan_layers import (
    ConditionalBatchNorm2d,
    DiscriminatorBlock,
    GeneratorBlock,
    SelfAttention,
    SumPool,
)
from ganbench_plugins.spectral import SpectralNorm, iterate, normalise_spectrally

SPEC = DataSpec((1, 8, 8), 3, "toy", 64)
LABELS = torch.tensor([0, 1, 2, 0, 1])


def made(**settings: object) -> BigGAN:
    torch.manual_seed(0)
    return BigGAN(SPEC, BigGAN.Config(**{"width": 4, "embedding": 5, "translation": 0, **settings}))  # type: ignore[arg-type]


def images(n: int = 5) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1


def largest(weight: Tensor) -> float:
    return float(torch.linalg.matrix_norm(weight.detach().flatten(1), 2))


def test_attention_starts_as_the_identity_and_then_adds_a_weighted_mean() -> None:
    torch.manual_seed(0)
    layer, features = SelfAttention(8), torch.randn(2, 8, 4, 6)
    assert torch.equal(layer(features), features)
    with torch.no_grad():
        layer.gamma.fill_(0.7)
    out = layer(features)
    assert out.shape == features.shape
    image = features[1]
    query, key, value = (
        torch.einsum("oc,chw->ohw", part.weight[:, :, 0, 0], image) for part in (layer.query, layer.key, layer.value)
    )
    key, value = (F.max_pool2d(part, 2).flatten(1) for part in (key, value))
    assert key.shape == (1, 6)
    assert value.shape == (4, 6)
    scores = torch.einsum("dhw,dk->hwk", query, key)
    mean = torch.einsum("hwk,dk->dhw", scores.softmax(-1), value)
    expected = image + 0.7 * torch.einsum("od,dhw->ohw", layer.output.weight[:, :, 0, 0], mean)
    torch.testing.assert_close(out[1], expected)


def test_conditional_batch_norm_scales_and_shifts_by_class() -> None:
    torch.manual_seed(0)
    layer, features = ConditionalBatchNorm2d(3, 2), torch.randn(4, 3, 5, 5) * 4 + 1
    condition = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    out = layer(features, condition)
    normal = F.batch_norm(features, None, None, training=True)
    torch.testing.assert_close(out[0], normal[0])
    for row, column in ((1, 0), (2, 1), (3, 0)):
        scale, shift = 1 + layer.scale.weight[:, column], layer.shift.weight[:, column]
        torch.testing.assert_close(out[row], normal[row] * scale[:, None, None] + shift[:, None, None])


def test_the_same_latent_gives_another_image_for_another_class() -> None:
    model, latent = made().eval(), torch.randn(5, 30)
    first, again, other = (model.generate(model.generator, latent, y) for y in (LABELS, LABELS, (LABELS + 1) % 3))
    assert torch.equal(first, again)
    assert not torch.isclose(first, other).all(3).all(2).any()


def test_each_block_has_a_chunk_of_the_latent() -> None:
    model = made(latent_dim=8).eval()  # chunks of 3, 3 and 2
    generator, seen = model.generator, []
    for block in generator.blocks:
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].detach()))
    latent = torch.arange(8.0)[None]
    generator(latent, torch.tensor([2]))
    embedded = generator.embedding.weight[2].detach()
    assert torch.equal(seen[0][0], torch.cat([embedded, torch.tensor([3.0, 4.0, 5.0])]))
    assert torch.equal(seen[1][0], torch.cat([embedded, torch.tensor([6.0, 7.0])]))


def test_residual_blocks_by_hand() -> None:
    torch.manual_seed(0)
    features, condition = torch.randn(2, 4, 3, 3), torch.randn(2, 5)
    up = GeneratorBlock(4, 6, 5)
    inner = up.first(F.interpolate(F.relu(up.norms[0](features, condition)), scale_factor=2))
    inner = up.second(F.relu(up.norms[1](inner, condition)))
    expected = inner + up.skip(F.interpolate(features, scale_factor=2))
    torch.testing.assert_close(up(features, condition), expected)
    features = torch.randn(2, 4, 6, 6)
    down, first = DiscriminatorBlock(4, 6), DiscriminatorBlock(4, 6, raw=True)
    inner = down.second(F.relu(down.first(F.relu(features))))
    expected = F.avg_pool2d(inner + down.skip(features), 2)
    torch.testing.assert_close(down(features), expected, rtol=1e-4, atol=1e-5)
    expected = F.avg_pool2d(first.second(F.relu(first.first(features))) + first.skip(features), 2)
    torch.testing.assert_close(first(features), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(SumPool()(features), features.clamp(min=0).sum((2, 3)))


def test_weights_are_divided_by_their_largest_singular_value() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 6, 3)
    drawn = layer.weight.detach().clone()
    normalise_spectrally(layer)
    for _ in range(100):
        iterate(layer)
    torch.testing.assert_close(layer.weight, drawn / largest(drawn), rtol=1e-4, atol=1e-5)
    assert largest(layer.weight) == pytest.approx(1, rel=1e-4)


def test_evaluation_makes_no_power_iteration_and_an_update_makes_one() -> None:
    model = made(ema=0.0, discriminator_steps=1)
    networks = (model.generator, model.discriminator)
    counts = [0, 0]
    for number, network in enumerate(networks):
        for part in network.modules():
            if isinstance(part, SpectralNorm):
                first = part
        original = first.iterate

        def counted(weight: Tensor, number: int = number, original: object = original) -> None:
            counts[number] += 1
            original(weight)  # type: ignore[operator]

        first.iterate = counted  # type: ignore[method-assign]
    model.generate(model.generator, model.latent(5), LABELS)
    model.score(images(), LABELS)
    assert counts == [0, 0]
    for update in (1, 2):
        model.step(Batch(images(), LABELS))
        assert counts == [update, update]


def test_the_length_of_u_does_not_matter() -> None:
    """Of vectors that are averaged none has length 1."""
    torch.manual_seed(0)
    layer = nn.Linear(4, 5)
    normalise_spectrally(layer)
    expected = layer.weight.detach().clone()
    layer.parametrizations.weight[0].u *= 0.3
    torch.testing.assert_close(layer.weight, expected)


def test_both_networks_are_orthogonal_and_normalised_but_not_their_batch_norms() -> None:
    model = made(spectral=False)
    matrix = model.discriminator.phi[0].second.weight.detach().flatten(1)
    torch.testing.assert_close(matrix @ matrix.t(), torch.eye(len(matrix)), rtol=1e-4, atol=1e-5)
    model = made()
    for network in (model.generator, model.discriminator):
        layers = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear | nn.Embedding)]
        assert layers
        assert all(parametrize.is_parametrized(layer, "weight") for layer in layers)
        assert [largest(layer.weight) for layer in layers] == pytest.approx([1.0] * len(layers), rel=1e-3)


def test_the_average_is_normalised_too() -> None:
    model = made(ema=0.9, lr=0.02)
    for _ in range(10):
        model.step(Batch(images(), LABELS))
    average = model.average
    assert average is not None
    norms = [largest(part.weight) for part in average.modules() if isinstance(part, nn.Conv2d)]
    assert max(norms) < 1.5
    assert min(norms) > 0.99


def test_losses_are_hinges_and_one_pass_scores_both() -> None:
    model = made(spectral=False)

    class ByGrey(nn.Module):
        def forward(self, images: Tensor, labels: Tensor) -> Tensor:
            assert len(images) == len(labels)
            return images.mean((1, 2, 3))[:, None] * 4

    model.discriminator = ByGrey()
    real, fake = (torch.tensor(grey)[:, None, None, None].expand(2, 1, 8, 8) for grey in ([0.5, 0.1], [-0.5, 0.1]))
    labels = torch.tensor([0, 1])
    assert float(model.discriminator_loss(real, fake, labels)) == pytest.approx((0 + 0.6) / 2 + (0 + 1.4) / 2)
    assert float(model.generator_loss(real, fake, labels)) == pytest.approx(-(-2.0 + 0.4) / 2)


def test_truncated_samples_come_from_latents_that_are_cut() -> None:
    model = made(truncation=0.5, ema=0.0)
    drawn: list[Tensor] = []
    model.generator = nn.Identity()
    model.generate = lambda generator, latent, labels: drawn.append(latent) or latent  # type: ignore[assignment, func-returns-value]
    model.sample(200)
    assert float(drawn[0].abs().max()) <= 0.5
    assert float(drawn[0].std()) == pytest.approx(0.5 / 3**0.5, rel=0.1), "nearly uniform"
    assert float(model.latent(200).abs().max()) > 2, "not while the model learns"
    assert BigGAN.sampler(model.config) == "N(0, I) cut at 0.5"
    assert BigGAN.sampler(BigGAN.Config()) == "N(0, I), averaged weights"


def test_copies_are_networks_of_their_own() -> None:
    model = made()
    other = copy.deepcopy(model.generator)
    with torch.no_grad():
        other.attention.gamma += 1
    assert float(model.generator.attention.gamma.detach()) == 0
