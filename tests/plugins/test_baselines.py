"""The rows that calibrate a board."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from ganbench.model import Batch, DataSpec, Model
from ganbench.training.sampling import draw
from ganbench_plugins.baselines import Noise, Real, Replay

N, CLASSES = 60, 3
LABELS = torch.arange(N) % CLASSES
IMAGES = (torch.arange(N).view(N, 1, 1, 1) / 127.5 - 1).expand(N, 1, 2, 2)


def dealer(kind: type[Replay] = Replay, classes: int = CLASSES) -> Replay:
    torch.manual_seed(0)
    model = kind(DataSpec((1, 2, 2), classes, "toy", N), kind.Config())
    model.finish(Batch(IMAGES, LABELS if classes else None))
    return model


def ids(samples: torch.Tensor) -> list[int]:
    return samples[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("kind", [Replay, Real])
def test_each_image_is_dealt_once_before_any_comes_again(kind: type[Replay]) -> None:
    model = dealer(kind)
    dealt = [image for part in LABELS.split(20) for image in ids(draw(model, len(part), part, seed=0))]
    assert sorted(dealt) == list(range(N))
    assert dealt != sorted(dealt)
    again = [image for part in LABELS.split(20) for image in ids(draw(model, len(part), part, seed=0))]
    assert set(Counter(dealt + again).values()) == {2}


def test_labels_are_honoured() -> None:
    wanted = torch.tensor([2, 2, 0, 1, 2, 0, 0])
    assert [image % CLASSES for image in ids(draw(dealer(), len(wanted), wanted, seed=0))] == wanted.tolist()


@pytest.mark.parametrize("classes", [0, CLASSES])
def test_without_labels_all_images_are_dealt_alike(classes: int) -> None:
    model = dealer(classes=classes)
    dealt = [image for n in (7, 33, 20) for image in ids(draw(model, n, None, seed=0))]
    assert sorted(dealt) == list(range(N))
    assert len(draw(model, 2 * N + 1, None, seed=0)) == 2 * N + 1


def test_a_checkpoint_holds_the_images() -> None:
    model, other = dealer(), Replay(DataSpec((1, 2, 2), CLASSES, "toy", N), Replay.Config())
    other.load_state_dict(model.state_dict())
    other.load_extra_state(model.extra_state())
    assert ids(draw(other, N, LABELS, seed=0)) == ids(draw(model, N, LABELS, seed=0))


def test_noise_fills_the_range_evenly_and_follows_the_seed() -> None:
    model = Noise(DataSpec((3, 8, 8), 0, "toy", N), Noise.Config())
    samples = draw(model, 101, None, seed=1)
    assert torch.equal(samples, draw(model, 101, None, seed=1))
    assert not torch.equal(samples, draw(model, 101, None, seed=2))
    shares = torch.histc(samples.float(), bins=4, min=0, max=255) / samples.numel()
    assert ((shares - 0.25).abs() < 0.02).all()


def test_baselines_are_not_trained_and_say_what_they_are() -> None:
    assert [kind.role for kind in (Real, Noise, Replay)] == ["ceiling", "floor", "memoriser"]
    assert all(kind.step is Model.step for kind in (Real, Noise, Replay))
