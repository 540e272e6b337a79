"""What holds for every model that ships: the checks that authors run, and that it learns."""

from __future__ import annotations

import dataclasses
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench.model import Batch, DataSpec, Model
from ganbench.registry.registry import Registry
from ganbench.search_space import search_space
from ganbench.testing import CHECKS
from ganbench.testing.case import Case
from ganbench.testing.check import Check

SHAPES = [(1, 8, 8), (3, 12, 20), (2,)]
"""The second is neither square nor a power of two, and a quarter of its sides is odd, as that of 28x28 is."""
SMALL = {"width": 8, "hidden": 32, "prior_width": 16}
"""Sizes of networks for the checks: code is the same at all. Defaults are built at the data's true shapes below."""
IMAGES_ONLY = {
    "biggan",
    "dcgan-tutorial",
    "diffusers-ddpm",
    "draw",
    "hmm",
    "lstm-vae",
    "pixelcnn",
    "stylegan2",
    "vq-vae",
}
"""What rows, glimpses, code grids, convolutions or a reference network's sizes mean is not defined for points."""
EXTRAS = {"diffusers": "peers", "hmmlearn": "hmm", "pythae": "peers"}
"""Modules that are no dependencies of ganbench, and the extra that brings each."""
SLOW = {"began", "dcgan-tutorial", "ddpm", "diffusers-ddpm", "stylegan2", "unrolled-gan"}
"""A discriminator that must learn to rebuild images first, a small learning rate, twenty steps from noise, images that
are rather dark at the start, a generator that looks ahead."""


def shipped() -> list[str]:
    """Return the names of all models of `ganbench_plugins`: one an entry point."""
    return sorted(point.name for point in entry_points(group="ganbench") if point.value.startswith("ganbench_plugins."))


def test_names_are_those_of_their_entry_points(registry: Registry) -> None:
    names = {entry.name for entry in registry.all("models") if entry.thing.__module__.startswith("ganbench_plugins.")}
    assert names == set(shipped())


def installed(kind: type[Model]) -> type[Model]:
    """Return a model class; the test is skipped where what it needs is not installed."""
    for module in kind.requires:
        pytest.importorskip(module, reason=f"{kind.name} needs an extra: pip install 'ganbench[{EXTRAS[module]}]'")
    return kind


def small(kind: type[Model]) -> dict[str, int]:
    fields = {field.name for field in dataclasses.fields(kind.Config)}
    return {name: value for name, value in SMALL.items() if name in fields}


def shapes(name: str) -> list[tuple[int, ...]]:
    return [shape for shape in SHAPES if len(shape) == 3 or name not in IMAGES_ONLY]


OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("dcgan", {"discriminator_steps": 2, "cutout": 3, "brightness": 0.2, "clip_gradient": 1.0, "ema": 0.0}),
    ("biggan", {"spectral": False, "truncation": 0.5, "ema": 0.0, "discriminator_steps": 2}),
    ("dcgan", {"batch_norm": False, "translation": 0}),
    ("dcgan", {"lr_ratio": 0.5, "decay_steps": 100}),
    ("ddpm", {"schedule": "linear", "eta": 0.0}),
    ("draw", {"attention": True, "read_size": 3, "write_size": 4}),
    ("flow-matching", {"solver": "heun", "sampling_steps": 5}),
    ("ladder-vae", {"levels": 3}),
    ("two-stage-vae", {"second_stage": False}),
    ("stylegan2", {"mixing": 0.9, "augment": 0.3, "flips": True, "r1_interval": 2}),
    ("vae", {"likelihood": "gaussian"}),
    ("vanilla", {"discriminator_steps": 2, "saturating": True}),
    ("wae-mmd", {"components": 3}),
    ("wgan-gp", {"batch_norm": False}),
]
"""What defaults leave out; on the shape that is not square."""
CASES = [pytest.param((name, shape, {}), id=f"{name}-{shape}") for name in shipped() for shape in shapes(name)] + [
    pytest.param((name, SHAPES[1], options), id=f"{name}-{'-'.join(options)}") for name, options in OPTIONS
]


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, registry: Registry) -> Case:
    """A model, a shape, settings; its trainings are made once for all checks."""
    name, shape, options = request.param
    kind = installed(registry.get("models", name).thing)
    return Case(kind, shape, 10 if kind.conditional or shape[0] == 1 else 0, small(kind) | options)


@pytest.fixture(scope="module", params=shipped())
def one_case(request: pytest.FixtureRequest, registry: Registry) -> Case:
    """A model at one shape."""
    kind = installed(registry.get("models", request.param).thing)
    return Case(kind, SHAPES[0], 10, small(kind))


OF_ANY_SHAPE = {"leaves_seeds_alone", "learns_from_its_batch", "samples_below_zero", "keeps_to_its_device"}
"""Checks of code that does not ask for the shape: they find at one what they would find at all."""


@pytest.mark.parametrize(
    "check", [each for each in CHECKS if each.name not in OF_ANY_SHAPE], ids=lambda each: each.name
)
def test_every_model_passes_the_checks(case: Case, check: Check[Case]) -> None:
    check.on(case)


@pytest.mark.parametrize("check", [each for each in CHECKS if each.name in OF_ANY_SHAPE], ids=lambda each: each.name)
def test_every_model_passes_the_checks_of_any_shape(one_case: Case, check: Check[Case]) -> None:
    check.on(one_case)


@pytest.mark.parametrize("name", sorted(IMAGES_ONLY))
def test_points_are_refused_by_models_of_images(registry: Registry, name: str) -> None:
    kind = registry.get("models", name).thing
    with pytest.raises(ValueError, match=f"{name}.*toy") as refused:
        kind(DataSpec((2,), 10, "toy", 64), kind.Config())
    assert "\n" not in str(refused.value)


ANY_SIDES = {
    *("class-gaussian", "draw", "gmm", "hmm", "lstm-vae", "mlp-bn", "pixelcnn", "pythae-vae", "vae", "vanilla")
}
"""All others halve an image's sides twice."""


@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("name", shipped())
def test_odd_sides_are_taken_or_refused_in_one_line(registry: Registry, name: str, shape: tuple[int, ...]) -> None:
    kind = installed(registry.get("models", name).thing)
    data, settings = DataSpec(shape, 10, "toy", 64), small(kind)
    if name not in ANY_SIDES:
        with pytest.raises(ValueError, match=f"sides divisible by 4, toy has {shape[1]}x{shape[2]}$"):
            kind(data, kind.Config(**settings))
        return
    assert_learns_and_samples(kind(data, kind.Config(**settings)), data)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)], ids=str)
@pytest.mark.parametrize("name", shipped())
def test_defaults_fit_the_data_of_tracks(registry: Registry, name: str, shape: tuple[int, ...]) -> None:
    kind = installed(registry.get("models", name).thing)
    data = DataSpec(shape, 10, "toy", 64)
    assert_learns_and_samples(kind(data, kind.Config()), data)


def assert_learns_and_samples(model: Model, data: DataSpec) -> None:
    torch.manual_seed(0)
    images, labels = torch.rand(data.n, *data.shape) * 2 - 1, torch.arange(data.n) % 10
    if type(model).step is not Model.step:
        losses = model.step(Batch(images[:4], labels[:4]))
        assert all(loss.isfinite() for loss in losses.values())
    model.finish(Batch(images, labels))
    made = samples(model, 3)
    assert made.shape == (3, *data.shape) and made.abs().max() <= 1


def samples(model: Model, n: int) -> torch.Tensor:
    torch.manual_seed(3)
    labels = torch.arange(n) % 10 if model.conditional else None
    with torch.no_grad():
        return model.eval().sample(n, labels)


@pytest.mark.parametrize("name", shipped())
def test_every_model_learns_to_be_dark_from_dark_images(registry: Registry, name: str) -> None:
    kind = installed(registry.get("models", name).thing)
    torch.manual_seed(0)
    model = kind(DataSpec((1, 8, 8), 10, "toy", 64), kind.Config())
    noise = 0.05 * torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    dark = Batch((noise - 0.9).clamp(-1, 1), torch.arange(64) % 10)
    before = samples(model, 50).mean()
    enough = before - 0.1 if name in SLOW else min(-0.5, before - 0.2)
    found = []
    for _ in range(3 if kind.step is not Model.step else 1):  # most need 20 steps, none more than 60
        model.train()
        for _ in range(20 if kind.step is not Model.step else 0):
            model.step(Batch(dark.images[:16], dark.labels[:16]))
        model.finish(dark)
        found.append(samples(model, 50).mean())
        if found[-1] < enough:
            break
    assert found[-1] < enough, found


def test_every_model_declares_spaces_that_hold_its_defaults(registry: Registry) -> None:
    assert [name for name in shipped() if not search_space(registry.get("models", name).thing.Config)] == []


def test_every_model_says_where_it_was_described_and_how_it_samples(registry: Registry) -> None:
    for name in shipped():
        kind = registry.get("models", name).thing
        assert kind.paper.startswith("arXiv:") or kind.family == "baseline", name
        assert kind.sampler(kind.Config()), name
        assert sys.modules[kind.__module__].__doc__, name


@pytest.mark.parametrize("page", ["docs/reference/models_by_family.md", "docs/models.md"])
def test_every_model_is_on_the_pages(page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text()
    assert [name for name in shipped() if f"`{name}`" not in text] == []
