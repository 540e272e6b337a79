"""Near-copies of one image, known by pixels: what is called one, what is not, and how often by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganbench.data.dataset import Dataset
from ganbench.metrics import DuplicateReference, duplicates


def tensor(images: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images))


@pytest.fixture(scope="module")
def reference(mnist5k: Dataset) -> DuplicateReference:
    """Training digits that copies may be of; the first 500 test digits say what is none."""
    return DuplicateReference(tensor(mnist5k.train.images), tensor(mnist5k.test.images[:500]))


def rounded(images: Tensor) -> Tensor:
    return images.clamp(0, 255).round().to(torch.uint8)


def shifted(images: Tensor) -> Tensor:
    return torch.stack([torch.roll(image, (at % 5 - 2, at % 3 - 1), (1, 2)) for at, image in enumerate(images)])


def noisy(images: Tensor) -> Tensor:
    return rounded(images + 20 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0)))


COPIES: dict[str, Callable[[Tensor], Tensor]] = {
    "as they are": lambda images: images,
    "shifted": shifted,
    "mirrored": lambda images: images.flip(-1),
    "noisy": noisy,
    "dim": lambda images: rounded(0.6 * images),
    "all of it": lambda images: noisy(rounded(0.8 * shifted(images.flip(-1)))),
}


@pytest.mark.parametrize("change", COPIES)
def test_copies_are_known_whatever_was_done_to_them(
    reference: DuplicateReference, mnist5k: Dataset, change: str
) -> None:
    assert reference.share(COPIES[change](tensor(mnist5k.train.images[:200]))) > 0.95


def test_what_is_real_and_unseen_is_called_a_copy_as_often_as_promised(
    reference: DuplicateReference, mnist5k: Dataset
) -> None:
    unseen = tensor(np.concatenate([mnist5k.validation.images, mnist5k.test.images[500:]]))
    # 0.01, of 1,500 images against a threshold from 500: four standard errors of both.
    assert reference.share(unseen) < 0.01 + 4 * (0.01 / 1500 + 0.01 / 500) ** 0.5
    assert reference.share(F.avg_pool2d(unseen[:300].float(), 3, 1, 1).round().to(torch.uint8)) < 0.03  # blurred
    assert reference.share(torch.randint(0, 256, (200, 1, 28, 28), dtype=torch.uint8)) == 0
    assert reference.share(np.zeros((50, 1, 28, 28), np.uint8)) == 0


def test_copies_count_by_their_share(reference: DuplicateReference, mnist5k: Dataset) -> None:
    mixed = tensor(np.concatenate([mnist5k.train.images[:100], mnist5k.validation.images[:300]]))
    assert 0.25 <= reference.share(mixed) < 0.28


def test_images_are_compared_with_each_other_where_there_are_no_unseen_ones(mnist5k: Dataset) -> None:
    images = tensor(mnist5k.test.images[:400])
    leaks = DuplicateReference(images, None)
    assert leaks.share(images) == 1
    assert leaks.share(tensor(mnist5k.validation.images)) < 0.05


def slow_waves(images: Tensor) -> Tensor:
    """What is left of 28x28 images for comparison, in pixels and in float64."""
    place = torch.arange(28, dtype=torch.float64) + 0.5
    fading = torch.sin((torch.minimum(place, 28 - place) / 4).clamp(max=1) * torch.pi / 2) ** 2
    grey = images.double().mean(dim=1)
    found = torch.fft.fft2((grey - grey.mean(dim=(1, 2), keepdim=True)) * fading[:, None] * fading)
    slow = torch.fft.fftfreq(28).abs() * 28 < 7.5
    return torch.fft.ifft2(found * slow[:, None] * slow).real


def test_the_ratio_is_that_of_distances_between_pixels(mnist5k: Dataset) -> None:
    """At 28x28 the shifts that are tried are whole pixels, up to two."""
    originals, images = tensor(mnist5k.train.images[:8]), tensor(mnist5k.test.images[:12])
    kept, shown = slow_waves(originals), torch.stack([slow_waves(images), slow_waves(images.flip(-1))])
    sizes = [torch.fft.fft2(each).abs().flatten(-2) for each in (shown, kept)]
    bounds = sizes[0] @ sizes[1].T
    best = torch.zeros(12, 8, dtype=torch.float64)
    for down in range(-2, 3):
        for across in range(-2, 3):
            moved = torch.roll(kept, (down, across), (1, 2)).flatten(1)
            plain, mirrored = shown.flatten(2) @ moved.T / shown.flatten(2).norm(dim=2)[..., None] / moved.norm(dim=1)
            best = torch.maximum(best, torch.where(bounds[1] > bounds[0], mirrored, plain))
    distances = (1 - best.square()).sort(dim=1).values
    found = DuplicateReference(originals, None, threshold=0.5).ratios(images)
    assert found.tolist() == pytest.approx((distances[:, 0] / distances[:, 1]).tolist(), abs=1e-4)


def test_a_copy_of_an_image_that_is_there_twice_is_a_copy(mnist5k: Dataset) -> None:
    twice = tensor(np.concatenate([mnist5k.train.images[:50]] * 2))
    found = DuplicateReference(twice, None, threshold=0.4)
    assert found.share(twice[:50]) == 1


def test_colour_and_other_sizes(mnist5k: Dataset) -> None:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(400, 3, 6, 5, generator=generator)
    images = rounded(255 * F.interpolate(coarse, size=(24, 20), mode="bicubic"))
    found = DuplicateReference(images[:200], images[200:300])
    assert found.share(images[:100].flip(-1)) == 1
    assert found.share(images[300:]) < 0.1


def test_nonsense_is_a_named_error() -> None:
    images = torch.zeros(120, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match="unseen: got 99 rows, needs at least 100"):
        duplicates(images, images[:99], images)
    with pytest.raises(ValueError, match="originals: got 99 rows"):
        DuplicateReference(images[:99], None)
    with pytest.raises(ValueError, match="images: got 0 rows"):
        duplicates(images, images, images[:0])
    with pytest.raises(ValueError, match=r"those to compare with have \(1, 8, 8\)"):
        duplicates(images, images, images[..., :7])
    with pytest.raises(ValueError, match="expected images"):
        duplicates(images.flatten(1), images, images)
