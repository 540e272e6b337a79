"""Modulated convolutions against one convolution an image, lazy R1 against closed forms, what checkpoints hold."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.model import Batch, DataSpec
from ganbench.training.state import capture, restore
from ganbench_plugins.stylegan2 import StyleGAN2
from ganbench_plugins.stylegan2_layers import (
    EqualConv2d,
    EqualLinear,
    ModulatedConv2d,
    StyledConv2d,
    minibatch_deviation,
    pixel_norm,
    upsample,
)
from tests.plugins.critics import Linear, Quadratic

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)
REAL, FAKE = torch.full((4, 1, 8, 8), 0.5), torch.full((4, 1, 8, 8), -0.25)


def made(**settings: object) -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(SPEC, StyleGAN2.Config(**{"width": 4, "hidden": 8, "ada_target": 0.0, **settings}))  # type: ignore[arg-type]


def kernels(conv: ModulatedConv2d, w: Tensor, *, demodulated: bool = True) -> Tensor:
    """Return eq. 1 and 3 of the paper: each image's kernels (n, outputs, inputs, 3, 3)."""
    weight = conv.weight[None] * conv.scale * conv.style(w)[:, None, :, None, None]
    norm = weight.square().sum((2, 3, 4), keepdim=True).sqrt()
    return weight / norm if demodulated else weight


@pytest.mark.parametrize("demodulate", [True, False])
def test_a_modulated_convolution_is_a_convolution_of_its_own_for_each_image(demodulate: bool) -> None:
    torch.manual_seed(0)
    conv = ModulatedConv2d(3, 5, 3, 4, demodulate=demodulate)
    images, w = torch.randn(6, 3, 7, 9), torch.randn(6, 4)
    weights = kernels(conv, w, demodulated=demodulate)
    by_hand = [F.conv2d(image[None], weight, padding=1) for image, weight in zip(images, weights, strict=True)]
    torch.testing.assert_close(conv(images, w), torch.cat(by_hand), rtol=1e-4, atol=1e-5)


def test_demodulated_kernels_have_norm_1_for_each_output() -> None:
    torch.manual_seed(0)
    conv, w = ModulatedConv2d(2, 5, 3, 4), 3 * torch.randn(1, 4)
    impulses = torch.zeros(2, 2, 5, 5)
    impulses[0, 0, 2, 2] = impulses[1, 1, 2, 2] = 1
    answers = conv(impulses, w.expand(2, 4))  # the kernels, mirrored, one input a row
    torch.testing.assert_close(answers.square().sum((0, 2, 3)), torch.ones(5), rtol=1e-4, atol=1e-4)


def test_equalised_layers_keep_variances_and_scale_rates() -> None:
    torch.manual_seed(0)
    linear, conv = EqualLinear(400, 500), EqualConv2d(40, 50, 3)
    assert float(linear(torch.randn(50, 400)).std().detach()) == pytest.approx(1, rel=0.05)
    assert float(conv(torch.randn(20, 40, 9, 9))[..., 1:-1, 1:-1].std().detach()) == pytest.approx(1, rel=0.05)
    slow = EqualLinear(400, 500, bias=1.0, rate=0.01)
    assert float(slow(torch.randn(50, 400)).std().detach()) == pytest.approx(1, rel=0.05)
    assert float(slow(torch.randn(50, 400)).mean().detach()) == pytest.approx(1, abs=0.05)
    assert float(slow.weight.std().detach()) == pytest.approx(100, rel=0.05)
    before, given = slow(torch.ones(1, 400)).detach(), torch.ones(1, 400)
    with torch.no_grad():
        slow.bias += 1.0
    torch.testing.assert_close(slow(given), before + 0.01)


def test_upsampling_is_the_filter_1_3_3_1() -> None:
    images = torch.randn(1, 1, 6, 6)
    spread = torch.zeros(1, 1, 12, 12)
    spread[..., ::2, ::2] = images
    row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    by_hand = F.conv2d(F.pad(spread, (2, 1, 2, 1)), torch.outer(row, row)[None, None])
    torch.testing.assert_close(upsample(images)[..., 1:-1, 1:-1], by_hand[..., 1:-1, 1:-1])


def test_pixel_norm() -> None:
    values = pixel_norm(torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(values, torch.tensor([[3.0, 4.0]]) / math.sqrt(12.5))


def test_minibatch_deviation_is_that_of_each_group() -> None:
    torch.manual_seed(0)
    features = torch.randn(8, 3, 2, 2)
    out = minibatch_deviation(features)
    assert out.shape == (8, 4, 2, 2)
    assert torch.equal(out[:, :3], features)
    for first in (0, 1):  # groups are every second image
        group = features[first::2]
        expected = (group - group.mean(0)).square().mean(0).sqrt().mean()
        torch.testing.assert_close(out[first::2, 3], expected.expand(4, 2, 2))
    alike = minibatch_deviation(torch.ones(4, 3, 2, 2))[:, 3]
    assert float(alike.max()) < 1e-3, "images that do not differ"
    assert minibatch_deviation(torch.randn(5, 3, 2, 2)).shape == (5, 4, 2, 2), "a batch that no group divides"


def test_noise_enters_by_its_strength_which_starts_at_0() -> None:
    torch.manual_seed(0)
    layer = StyledConv2d(2, 3, 4, up=True)
    images, w = torch.randn(2, 2, 5, 5), torch.randn(2, 4)
    assert torch.equal(layer(images, w), layer(images, w))
    with torch.no_grad():
        layer.noise.fill_(0.5)
    assert not torch.equal(layer(images, w), layer(images, w))


def loss_at(model: StyleGAN2, step: int) -> Tensor:
    model.discriminator_updates = step - 1
    return model.discriminator_loss(REAL, FAKE, None)


def test_r1_is_half_gamma_times_the_squared_slope_on_real_images() -> None:
    weight, gamma = 0.1, 3.0
    model = made(gamma=gamma, r1_interval=1)
    model.discriminator = critic = Quadratic(weight)
    real, fake = weight * 64 * 0.25 / 2, weight * 64 * 0.0625 / 2
    plain = math.log1p(math.exp(-real)) + math.log1p(math.exp(fake))
    penalty = gamma / 2 * weight**2 * 64 * 0.25
    loss = loss_at(model, 1)
    assert float(loss.detach()) == pytest.approx(plain + penalty, rel=1e-5)
    loss.backward()
    assert critic.weight.grad is not None
    slope = -real / weight / (1 + math.exp(real)) + fake / weight / (1 + math.exp(-fake)) + 2 * penalty / weight
    assert float(critic.weight.grad) == pytest.approx(slope, rel=1e-5), "the penalty must be learnt from"


@pytest.mark.parametrize("interval", [2, 4])
def test_lazy_r1_is_plain_r1_on_average(interval: int) -> None:
    plain, lazy, none = (made(gamma=gamma, r1_interval=k) for gamma, k in ((3.0, 1), (3.0, interval), (0.0, 1)))
    for model in (plain, lazy, none):
        model.discriminator = Linear(0.05)
    losses = [loss_at(lazy, step) for step in range(1, interval + 1)]
    assert losses[:-1] == [loss_at(none, 1)] * (interval - 1), "it is due at every so many-th update"
    torch.testing.assert_close(torch.stack(losses).mean(), loss_at(plain, 1))


def test_losses_do_not_saturate() -> None:
    model = made(gamma=0.0)
    model.discriminator = Linear(0.1)
    assert float(model.generator_loss(REAL, FAKE, None).detach()) == pytest.approx(math.log1p(math.exp(1.6)))


class Asked(nn.Module):
    """Gives a constant, and remembers what it was shown."""

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))
        self.shown: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(images.detach())
        return self.answer.expand(len(images), 1) + 0 * images.sum()


@pytest.mark.parametrize(("answer", "rises"), [(1.0, True), (-1.0, False)])
def test_p_follows_what_the_discriminator_says_of_real_images(answer: float, rises: bool) -> None:
    model = made(ada_target=0.6, augment=0.1)
    model.discriminator = Asked(answer)
    for _ in range(4):
        model.discriminator_loss(REAL, FAKE, None)
    assert (float(model.augmentation.probability) > 0.1) is rises


def test_real_and_generated_images_are_augmented() -> None:
    model = made(augment=0.8)
    model.discriminator = critic = Asked(0.0)
    model.discriminator_loss(REAL, FAKE, None)
    model.generator_loss(REAL, FAKE, None)
    assert len(critic.shown) == 3
    for shown, given in zip(critic.shown, (REAL, FAKE, FAKE), strict=True):
        assert not torch.allclose(shown, given)


def test_checkpoints_hold_p_and_when_the_penalty_is_due() -> None:
    model, other = made(ada_target=0.6), made(ada_target=0.6)
    model.discriminator_updates = 5
    model.augmentation.probability.fill_(0.4)
    model.augmentation.observe(torch.ones(3, 1))
    restore(other, capture(model))
    assert other.discriminator_updates == 5
    assert float(other.augmentation.probability) == pytest.approx(0.4)
    assert (float(other.augmentation.signs), other.augmentation.seen, other.augmentation.calls) == (3.0, 3, 1)


def test_styles_are_mixed_while_the_generator_learns_only() -> None:
    model = made(mixing=1.0)
    w, other = torch.zeros(500, 8), torch.ones(500, 8)
    mixed = model.mixed(w, other, 6)[:, :, 0]
    assert torch.equal(mixed[0], torch.zeros(500)), "the first layer keeps its style"
    assert torch.equal(mixed[-1], torch.ones(500)), "the last one has the other"
    assert bool((mixed.diff(dim=0) >= 0).all()), "there is one crossover"
    assert set(mixed.sum(0).tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0}
    half = made(mixing=0.5).mixed(w, other, 6)[-1, :, 0]
    assert float(half.mean()) == pytest.approx(0.5, abs=0.1)
    latent = torch.randn(3, 64)
    model.eval()
    assert torch.equal(model.generate(model.generator, latent, None), model.generator(latent))


def test_samples_lie_within_images_range() -> None:
    model = made(lr=0.5)
    model.step(Batch(REAL, None))
    assert float(model.sample(50).abs().max().detach()) <= 1
