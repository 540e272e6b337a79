"""Self-conditioning: clusters that are found, kept in checkpoints, matched to the last ones, and drawn by frequency."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench.model import Batch, DataSpec
from ganbench.testing import check_model
from ganbench.training.state import capture, restore
from ganbench_plugins.partition import Memory, k_means, lloyd, matched, means, nearest
from ganbench_plugins.self_conditioned_gan import SelfConditionedGAN

POINTS, IMAGES = DataSpec((2,), 0, "toy", 64), DataSpec((1, 8, 8), 0, "toy", 64)
FEATURES = ["pixels", "discriminator"]


def model_of(data: DataSpec, **settings: Any) -> SelfConditionedGAN:
    return SelfConditionedGAN(data, SelfConditionedGAN.Config(width=4, hidden=8, **settings))


def corners(n: int) -> tuple[Tensor, Tensor]:
    """Return points near three corners, half of them near the first, and which each is near."""
    which = torch.arange(n) % 4 % 3
    places = torch.tensor([[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8]])
    return places[which] + 0.02 * torch.randn(n, 2, generator=torch.Generator().manual_seed(1)), which


def test_k_means_finds_clusters_and_their_means() -> None:
    points, which = corners(400)
    torch.manual_seed(0)
    centres = k_means(points, 3)
    found = nearest(points, centres)
    for corner in range(3):
        (cluster,) = set(found[which == corner].tolist())
        assert torch.allclose(centres[cluster], points[which == corner].mean(0), atol=1e-5)


def test_an_empty_cluster_keeps_its_centre() -> None:
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    default = torch.tensor([[0.0, 0.0], [9.0, 9.0]])
    assert torch.equal(means(points, torch.tensor([0, 0]), default), torch.tensor([[0.5, 0.0], [9.0, 9.0]]))
    assert torch.equal(lloyd(points, default), torch.tensor([[0.5, 0.0], [9.0, 9.0]]))


def test_k_means_takes_fewer_points_than_clusters() -> None:
    assert k_means(torch.zeros(2, 3), 5).isfinite().all()


def test_matched_centres_keep_the_labels_of_most_points() -> None:
    points, which = corners(400)
    centres = torch.stack([points[which == corner].mean(0) for corner in (2, 0, 1)])
    assert not torch.equal(nearest(points, centres), which)
    assert torch.equal(nearest(points, matched(centres, nearest(points, centres), which)), which)


def test_the_memory_holds_the_last_images_exactly() -> None:
    memory = Memory((1, 2, 2), 5)
    images = torch.randint(256, (8, 1, 2, 2)).float() / 127.5 - 1
    memory.add(images[:4])
    assert torch.allclose(memory.all(), images[:4], atol=1e-6) and not memory.full
    memory.add(images[4:])
    assert memory.full
    kept = {tuple(image.flatten().round(decimals=4).tolist()) for image in memory.all()}
    assert kept == {tuple(image.flatten().round(decimals=4).tolist()) for image in images[3:]}


def test_clusters_are_found_once_the_memory_is_full_and_drawn_by_frequency() -> None:
    points, which = corners(64)
    model = model_of(POINTS, clusters=3)
    assert torch.allclose(model.frequencies, torch.full((3,), 1 / 3))
    model.step(Batch(points[:32], None))
    assert not model.clustered_at
    model.step(Batch(points[32:], None))
    assert model.clustered_at == 64
    assert sorted(model.frequencies.tolist()) == pytest.approx([0.25, 0.25, 0.5])
    found = model.assign(points)
    for corner in range(3):
        assert len(set(found[which == corner].tolist())) == 1
    drawn = torch.bincount(model.draw(10_000), minlength=3) / 10_000
    assert torch.allclose(drawn, model.frequencies, atol=0.03)


def test_both_networks_are_told_the_images_clusters_and_no_labels() -> None:
    points, _ = corners(64)
    model = model_of(POINTS, clusters=3)
    model.step(Batch(points, None))
    assert torch.equal(model.condition(Batch(points, torch.full((64,), 7))), model.assign(points))
    latent = model.latent(5)
    made = [model.generate(model.generator, latent, torch.full((5,), cluster)) for cluster in range(3)]
    assert not torch.equal(made[0], made[1]) and not torch.equal(made[1], made[2])


@pytest.mark.parametrize("features", FEATURES)
def test_clusters_are_in_checkpoints(features: str) -> None:
    images = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    settings = {"clusters": 4, "features": features, "memory": 16, "recluster": 32, "components": 6}
    model, again = model_of(IMAGES, **settings), model_of(IMAGES, **settings)
    for part in images.split(16):
        model.step(Batch(part, None))
    restore(again, capture(model))
    assert again.clustered_at == model.clustered_at > 16
    assert torch.equal(again.assign(images), model.assign(images))
    assert len(model.assign(images).unique()) > 1
    assert torch.equal(again.frequencies, model.frequencies)
    assert torch.equal(again.memory.all(), model.memory.all())


@pytest.mark.parametrize("features", FEATURES)
def test_training_that_clusters_again_and_again_passes_the_checks(features: str) -> None:
    settings = {"clusters": 4, "features": features, "memory": 16, "recluster": 8, "width": 4, "hidden": 8}
    check_model(SelfConditionedGAN, (1, 8, 8), 0, **settings)


def test_the_frozen_features_change_only_with_the_clusters() -> None:
    images = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    model = model_of(IMAGES, clusters=4, features="discriminator", memory=16, recluster=48)
    model.step(Batch(images[:16], None))
    before = model.assign(images)
    for _ in range(2):
        model.step(Batch(images[16:32], None))
        assert torch.equal(model.assign(images), before)
    found = {name: value.clone() for name, value in model.frozen.state_dict().items()}
    model.step(Batch(images[32:48], None))
    assert any(not torch.equal(value, found[name]) for name, value in model.frozen.state_dict().items())
