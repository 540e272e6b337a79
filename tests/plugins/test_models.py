"""What holds for every model that ships: the checks that authors run, and that it learns."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch

from ganbench.model import Batch, DataSpec, Model
from ganbench.registry.registry import Registry
from ganbench.testing import check_model

SHAPES = [(1, 28, 28), (3, 32, 32), (2,)]
IMAGES_ONLY = {"dcgan-tutorial", "draw", "hmm", "lstm-vae", "vq-vae"}
"""What rows, glimpses, code grids or a reference network's sizes mean is not defined for points."""
WITH_EXTRAS = {"hmm": "hmmlearn"}
SLOW = {"began", "dcgan-tutorial"}
"""A small learning rate, and a discriminator that must learn to rebuild images first."""
BASELINES = ["real", "noise", "replay"]


def shipped() -> list[str]:
    """Return the names of all models of `ganbench_plugins`: one an entry point, baselines apart."""
    points = [point for point in entry_points(group="ganbench") if point.value.startswith("ganbench_plugins.")]
    return sorted({point.name for point in points} - {"baselines"})


def test_names_are_those_of_their_entry_points(registry: Registry) -> None:
    names = {entry.name for entry in registry.all("models") if entry.thing.__module__.startswith("ganbench_plugins.")}
    assert names == {*shipped(), *BASELINES}


def made_with(name: str) -> None:
    if name in WITH_EXTRAS:
        pytest.importorskip(WITH_EXTRAS[name], reason=f"{name} needs its extra: pip install 'ganbench[{name}]'")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", [*BASELINES, *shipped()])
def test_every_model_passes_the_checks(registry: Registry, name: str, shape: tuple[int, ...]) -> None:
    made_with(name)
    kind = registry.get("models", name).thing
    if name in IMAGES_ONLY and len(shape) == 1:
        with pytest.raises(ValueError, match=name):
            kind(DataSpec(shape, 10, "toy", 64), kind.Config())
        return
    check_model(kind, shape, classes=10 if kind.conditional or shape[0] == 1 else 0)


def samples(model: Model, n: int) -> torch.Tensor:
    torch.manual_seed(3)
    labels = torch.arange(n) % 10 if model.conditional else None
    with torch.no_grad():
        return model.eval().sample(n, labels)


@pytest.mark.parametrize("name", shipped())
def test_every_model_learns_to_be_dark_from_dark_images(registry: Registry, name: str) -> None:
    made_with(name)
    kind = registry.get("models", name).thing
    torch.manual_seed(0)
    model = kind(DataSpec((1, 8, 8), 10, "toy", 64), kind.Config())
    noise = 0.05 * torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    dark = Batch((noise - 0.9).clamp(-1, 1), torch.arange(64) % 10)
    before = samples(model, 50).mean()
    model.train()
    for _ in range(60 if kind.step is not Model.step else 0):
        model.step(Batch(dark.images[:16], dark.labels[:16]))
    model.finish(dark)
    assert samples(model, 50).mean() < (before - 0.1 if name in SLOW else min(-0.5, before - 0.2))


def test_every_model_says_where_it_was_described_and_how_it_samples(registry: Registry) -> None:
    for name in shipped():
        kind = registry.get("models", name).thing
        assert kind.paper.startswith("arXiv:") or kind.family == "baseline", name
        assert kind.sampler(kind.Config()), name
        assert sys.modules[kind.__module__].__doc__, name


@pytest.mark.parametrize("page", ["README.md", "docs/models.md"])
def test_every_model_is_on_the_pages(page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text()
    assert [name for name in shipped() if f"`{name}`" not in text] == []
