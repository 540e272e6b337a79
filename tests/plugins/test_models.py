"""What holds for every model that learns: shapes, ranges, seeds, state."""

from __future__ import annotations

import pytest
import torch

from ganbench.model import Batch, DataSpec, Model
from ganbench.registry import Registry

SHAPES = [(1, 28, 28), (1, 8, 8), (3, 32, 32)]
NAMES = ["vanilla", "dcgan", "vae"]


def build(registry: Registry, name: str, shape: tuple[int, ...], seed: int = 0, **settings: object) -> Model:
    torch.manual_seed(seed)
    kind = registry.get("models", name).thing
    return kind(DataSpec(shape, 10, "toy", 64), kind.Config(**settings))


def batch(shape: tuple[int, ...], n: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(1)
    return Batch(torch.rand(n, *shape, generator=generator) * 2 - 1, torch.arange(n) % 10)


def samples(model: Model, n: int, seed: int = 3) -> torch.Tensor:
    torch.manual_seed(seed)
    with torch.no_grad():
        return model.eval().sample(n)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_gives_losses_and_changes_every_network(registry: Registry, name: str, shape: tuple[int, ...]) -> None:
    model = build(registry, name, shape)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    losses = model.train().step(batch(shape))
    assert losses
    for loss in losses.values():
        assert loss.shape == ()
        assert torch.isfinite(loss)
    changed = {
        key.partition(".")[0] for key, value in model.state_dict().items() if not torch.equal(value, before[key])
    }
    assert changed >= {part for part, _ in model.named_children()}
    for key, value in model.state_dict().items():
        assert torch.isfinite(value).all(), key


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_samples_have_their_shape_and_range(registry: Registry, name: str, shape: tuple[int, ...]) -> None:
    model = build(registry, name, shape)
    model.train().step(batch(shape))
    for n in (1, 7):
        found = samples(model, n)
        assert found.shape == (n, *shape)
        assert found.is_floating_point()
        assert found.abs().max() <= 1
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides(registry: Registry, name: str) -> None:
    def trained(seed: int) -> torch.Tensor:
        model = build(registry, name, (1, 8, 8), seed)
        model.train().step(batch((1, 8, 8)))
        return samples(model, 5)

    assert torch.equal(trained(0), trained(0))
    assert not torch.equal(trained(0), trained(1))


@pytest.mark.parametrize("name", NAMES)
def test_state_survives_a_checkpoint(registry: Registry, name: str) -> None:
    model, other = build(registry, name, (1, 8, 8), seed=0), build(registry, name, (1, 8, 8), seed=1)
    for _ in range(3):
        model.train().step(batch((1, 8, 8)))
    assert not torch.equal(samples(other, 5), samples(model, 5))
    other.load_state_dict(model.state_dict())
    other.load_extra_state(model.extra_state())
    assert torch.equal(samples(other, 5), samples(model, 5))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_learns_to_be_dark_from_dark_images(registry: Registry, name: str) -> None:
    model = build(registry, name, (1, 8, 8))
    black = Batch(torch.full((16, 1, 8, 8), -1.0), None)
    before = samples(model, 50).mean()
    for _ in range(60):
        model.train().step(black)
    assert samples(model, 50).mean() < min(-0.5, before - 0.2)


def test_every_model_says_where_it_was_described(registry: Registry) -> None:
    for name in NAMES:
        assert registry.get("models", name).thing.paper.startswith("arXiv:")
