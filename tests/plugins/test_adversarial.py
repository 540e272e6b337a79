"""What all GANs share: turns, the averaged generator, clipped gradients, and what the discriminator is shown."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.adversarial import GAN, brighten, cut_out, follow, translate

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)
IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


class Toy(GAN):
    name = "toy"

    def discriminator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return self.discriminate(fake).mean() - self.discriminate(real).mean()

    def generator_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        return -self.discriminate(fake).mean()


def toy(**settings: object) -> Toy:
    torch.manual_seed(0)
    return Toy(SPEC, Toy.Config(**{"width": 8, "hidden": 16} | settings))  # type: ignore[arg-type]


def copied(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(network: nn.Module, before: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def test_k_updates_of_the_discriminator_use_one_real_batch_and_new_latents() -> None:
    model, turns, seen = toy(discriminator_steps=3, translation=0), [], []
    learn, discriminator_loss = model.learn, model.discriminator_loss

    def noted(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        turns.append("generator" if network is model.generator else "discriminator")
        learn(network, optimizer, loss)

    def watched(real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        assert torch.equal(real, IMAGES) and not fake.requires_grad
        seen.append(fake)
        return discriminator_loss(real, fake, labels)

    model.learn, model.discriminator_loss = noted, watched  # type: ignore[method-assign]
    for _ in range(2):
        generator, discriminator = copied(model.generator), copied(model.discriminator)
        assert model.step(Batch(IMAGES, None)).keys() == {"discriminator", "generator"}
        assert not same(model.generator, generator) and not same(model.discriminator, discriminator)
    assert turns == (["discriminator"] * 3 + ["generator"]) * 2
    assert len(seen) == 6 and not any(torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


def test_each_of_k_updates_augments_the_real_images_anew() -> None:
    model, shown = toy(discriminator_steps=8), []
    model.discriminator.register_forward_hook(lambda _, inputs, __: shown.append(inputs[0].detach()))
    model.step(Batch(IMAGES, None))
    real = shown[1:-1:2]  # each update scores generated images first, and the generator's turn comes last
    assert len(real) == 8 and not all(torch.equal(images, real[0]) for images in real)


def rates(model: Toy) -> tuple[float, float]:
    optimizers = model.generator_optimizer, model.discriminator_optimizer
    return optimizers[0].param_groups[0]["lr"], optimizers[1].param_groups[0]["lr"]


def test_both_rates_fall_linearly_to_0_in_their_ratio() -> None:
    model, seen = toy(lr=0.1, lr_ratio=0.5, decay_steps=4, discriminator_steps=2), []
    assert rates(model) == pytest.approx((0.1, 0.05))
    for _ in range(4):
        model.step(Batch(IMAGES, None))
        seen.append(rates(model))
    assert seen == [pytest.approx((0.1 * part, 0.05 * part)) for part in (1, 0.75, 0.5, 0.25)]
    before = copied(model.generator), copied(model.discriminator)
    for _ in range(2):
        model.step(Batch(IMAGES, None))
    assert rates(model) == (0, 0)
    assert same(model.generator, before[0]) and same(model.discriminator, before[1])


def test_the_discriminator_is_shown_points_scaled() -> None:
    torch.manual_seed(0)
    model, points = Toy(DataSpec((2,), 0, "toy", 64), Toy.Config(hidden=16, point_scale=5.0)), torch.randn(6, 2)
    inner = model.discriminator.network
    assert torch.equal(model.discriminate(points), inner(5 * points))
    assert model.step(Batch(points, None)).keys() == {"discriminator", "generator"}
    assert isinstance(toy(point_scale=5.0).discriminator, nn.Sequential), "images are not"


def test_rates_are_constant_unless_asked() -> None:
    model = toy(lr=0.1, lr_ratio=2.0)
    for _ in range(3):
        model.step(Batch(IMAGES, None))
    assert rates(model) == (0.1, 0.2)


def test_each_update_leaves_the_other_network_alone_and_ready() -> None:
    model = toy()
    seen = {}
    learn = model.learn

    def watched(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        other = model.discriminator if network is model.generator else model.generator
        before = copied(other)
        learn(network, optimizer, loss)
        seen[network is model.generator] = same(other, before)

    model.learn = watched  # type: ignore[method-assign]
    model.step(Batch(IMAGES, None))
    assert seen == {True: True, False: True}
    assert all(parameter.requires_grad for parameter in model.discriminator.parameters())


def test_samples_come_from_the_average_or_where_there_is_none_from_the_generator() -> None:
    for ema, same_as_generator in ((0.9, False), (0.0, True)):
        model = toy(ema=ema)
        for _ in range(5):
            model.step(Batch(IMAGES, None))
        model.eval()
        torch.manual_seed(1)
        samples = model.sample(3)
        torch.manual_seed(1)
        assert torch.equal(samples, model.generator(model.latent(3))) is same_as_generator
        assert ("averaged" in model.sampler(model.config)) is not same_as_generator


def test_the_average_follows_at_its_momentum_and_faster_while_young() -> None:
    average, network = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        average.weight.fill_(0.0)
        network.weight.fill_(1.0)
    network.num_batches_tracked.fill_(7)
    follow(average, network, 0.9, updates=10**6)
    assert float(average.weight.detach()) == pytest.approx(0.1)
    assert int(average.num_batches_tracked) == 7
    follow(average, network, 0.9, updates=1)
    assert float(average.weight.detach()) == pytest.approx(0.1 + 0.9 * (1 - 2 / 11))


def test_gradients_are_clipped_to_their_norm() -> None:
    model = toy(clip_gradient=1e-3)
    model.step(Batch(IMAGES, None))
    for network in (model.generator, model.discriminator):
        norms = [parameter.grad.norm() for parameter in network.parameters() if parameter.grad is not None]
        assert float(torch.stack(norms).norm()) == pytest.approx(1e-3, rel=1e-2)


def test_labels_are_needed_where_they_are_learned_from() -> None:
    kind = type("Conditional", (Toy,), {"name": "conditional", "conditional": True})
    with pytest.raises(ValueError, match="conditional learns from labels, and toy has none"):
        kind(SPEC, Toy.Config())


def test_translation_moves_the_content_and_fills_with_background() -> None:
    torch.manual_seed(0)
    images = torch.full((200, 2, 9, 9), -1.0)
    images[:, 0, 4, 4], images[:, 1, 4, 4] = 0.5, 0.9
    moved = translate(images, 2)
    assert moved.shape == images.shape
    places = {0: [], 1: []}
    for channel, value in ((0, 0.5), (1, 0.9)):
        assert ((moved[:, channel] == value).sum((1, 2)) == 1).all()
        assert ((moved[:, channel] == -1).sum((1, 2)) == 80).all()
        places[channel] = (moved[:, channel] == value).nonzero()[:, 1:].tolist()
    assert places[0] == places[1]
    assert {tuple(place) for place in places[0]} == {(y, x) for y in range(2, 7) for x in range(2, 7)}


def test_what_leaves_the_frame_is_gone_and_background_comes_in() -> None:
    torch.manual_seed(0)
    moved = translate(torch.ones(100, 1, 8, 8), 3)
    kept = {int(count) for count in (moved == 1).sum((1, 2, 3))}
    assert kept == {a * b for a in range(5, 9) for b in range(5, 9)}
    assert ((moved == 1) | (moved == -1)).all()
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(translate(images, 0), images)


def test_a_square_is_cut_out_of_each_image() -> None:
    torch.manual_seed(0)
    cut = cut_out(torch.ones(300, 2, 8, 8), 3)
    holes = (cut == 0).sum((2, 3))
    assert torch.equal(holes[:, 0], holes[:, 1])
    assert {int(count) for count in holes[:, 0]} == {a * b for a in (1, 2, 3) for b in (1, 2, 3)}
    assert ((cut == 0) | (cut == 1)).all()
    assert (cut[:, 0] == 0).any(0).all()  # every pixel is hit now and then
    assert torch.equal(cut_out(IMAGES, 0), IMAGES)


def test_an_image_is_brightened_as_a_whole() -> None:
    torch.manual_seed(0)
    change = brighten(IMAGES, 0.4) - IMAGES
    each = change.flatten(1)
    torch.testing.assert_close(each, each[:, :1].expand_as(each), rtol=0, atol=1e-6)
    assert 0.1 < float(each.abs().max()) <= 0.4 + 1e-6
    assert len(each[:, 0].unique()) == len(IMAGES)
