"""What must hold for every extractor: each image's features are its own, always the same, and known by a hash."""

from __future__ import annotations

import tempfile
from functools import cached_property, partial
from pathlib import Path

import torch
from torch import Tensor

from ganbench.data.embedded import load_digits, load_mnist5k
from ganbench.data.gaussian_mixtures import RING8
from ganbench.errors import RequestError
from ganbench.extractors.base import Extractor, ExtractorSource, Features
from ganbench.testing.check import Check, registrable, require

N = 24
"""Images that features are taken of."""
TOLERANCE = 1e-4
"""How far features may be from each other, relative to the largest: kernels for another batch round otherwise."""
CPU = torch.device("cpu")


class ExtractorCase:
    """An extractor under test, with `weights` as its file where one must be named; it is given real images."""

    def __init__(self, source: ExtractorSource, weights: Path | None = None) -> None:
        self.source, self.weights, self.calling = source, weights, ""
        self.name = str(getattr(source, "name", source))

    def load(self) -> Extractor:
        self.calling = "load"
        extractor = self.source.load(CPU, self.weights)
        self.calling = ""
        return extractor

    @cached_property
    def extractor(self) -> Extractor:
        return self.load()

    @cached_property
    def images(self) -> Tensor:
        """Digits, uint8 (N, 1, 28, 28), or points."""
        dataset = RING8.load(None) if self.source.points else load_mnist5k()
        return torch.from_numpy(dataset.test.images[:N].copy())

    def extract(self, images: Tensor, extractor: Extractor | None = None) -> Features:
        self.calling = "the extractor"
        with torch.no_grad():
            found = (extractor or self.extractor)(images)
        self.calling = ""
        assert isinstance(found, Features), (
            f"{self.name}: returned {type(found).__name__}: return ganbench.Features(features, probabilities)"
        )
        return found

    @cached_property
    def found(self) -> Features:
        return self.extract(self.images)

    def identity(self) -> str:
        self.calling = "sha256"
        found = self.source.identity(self.weights)
        self.calling = ""
        return found


_check = partial(Check, ExtractorCase)


@_check
def is_an_extractor_source(case: ExtractorCase) -> None:
    """It is a `ganbench.ExtractorSource` with a name and a summary."""
    registrable("extractors", case.source)
    assert case.source.summary.strip(), f"{case.name}: summary is empty: `ganbench extractors` shows it"


@_check
def gives_finite_features(case: ExtractorCase) -> None:
    """Features are float32 (N, D), finite, and not the same for all images; D is `feature_dim` where that is given."""
    features, told = case.found.features, case.source.outputs_of(case.weights).feature_dim
    shaped = features.ndim == 2 and len(features) == N
    assert shaped, f"{case.name}: features of {N} images are of shape {tuple(features.shape)}: give ({N}, D)"
    assert features.dtype == torch.float32, f"{case.name}: features are {features.dtype}: give float32"
    assert bool(torch.isfinite(features).all()), f"{case.name}: some features are NaN or infinite"
    width = features.shape[1]
    assert told in (0, width), f"{case.name}: feature_dim = {told}, and features have {width} columns"
    alike = bool((features == features[0]).all())
    assert not alike, f"{case.name}: all images have the same features"
    assert not features.requires_grad, f"{case.name}: features carry gradients: compute them under torch.no_grad"


@_check
def gives_probabilities_that_sum_to_one(case: ExtractorCase) -> None:
    """Probabilities are (N, K), at least 0 and 1 in sum; K is `classes`; without classes there are none."""
    probabilities, classes = case.found.probabilities, case.source.classes_of(case.weights)
    if probabilities is None:
        assert classes == 0, f"{case.name}: classes = {classes}, but it returns no probabilities"
        return
    shape = tuple(probabilities.shape)
    assert shape == (N, classes), f"{case.name}: probabilities are of shape {shape}, and classes = {classes}"
    least, sums = float(probabilities.min()), probabilities.sum(1)
    ones = least >= 0 and bool(((sums - 1).abs() < 1e-3).all())
    assert ones, (
        f"{case.name}: probabilities are from {least:.3g} up, with sums from {float(sums.min()):.3g} to"
        f" {float(sums.max()):.3g}: return softmax, not logits"
    )


@_check
def looks_at_each_image_alone(case: ExtractorCase) -> None:
    """An image's features do not depend on which others are in its batch."""
    room = TOLERANCE * float(case.found.features.abs().max())
    for rows in (slice(0, 1), slice(3, 10)):
        alone = case.extract(case.images[rows])
        difference = float((alone.features - case.found.features[rows]).abs().max())
        assert difference <= room, (
            f"{case.name}: an image's features change by {difference:.3g} with its batch: call eval() when it is loaded"
        )


@_check
def gives_the_same_each_time(case: ExtractorCase) -> None:
    """The same images have the same features again, and from a network that is loaded anew."""
    for what, extractor in (("again", None), ("loaded anew", case.load())):
        same = torch.equal(case.extract(case.images, extractor).features, case.found.features)
        assert same, f"{case.name}: {what}, it gives other features for the same images: nothing may be drawn at random"


@_check
def leaves_its_images_alone(case: ExtractorCase) -> None:
    """The images that it is given are as they were."""
    given = case.images.clone()
    case.extract(given)
    assert torch.equal(given, case.images), f"{case.name}: it changed the images that it was given: work on a copy"


@_check
def takes_images_of_any_form(case: ExtractorCase) -> None:
    """Grey images and colour, of 8x8 and of 28x28 pixels: resizing and channels are the extractor's affair."""
    if case.source.points:
        return
    small = torch.from_numpy(load_digits().test.images[:2].copy())
    for images in (small, case.images[:2].expand(-1, 3, -1, -1).contiguous()):
        shape = "x".join(map(str, images.shape[1:]))
        try:
            width = case.extract(images).features.shape[1]
        except RequestError:
            continue  # it says in one line which images it takes
        same = width == case.found.features.shape[1]
        assert same, f"{case.name}: features of {shape} images have {width} columns: always give the same"


@_check
def has_an_identity(case: ExtractorCase) -> None:
    """`sha256` is 64 hexadecimal digits, the same each time: it tells these weights from others."""
    first, again = case.identity(), case.identity()
    assert first == again, f"{case.name}: sha256 gives another hash each time: hash the weights' bytes"
    digest = first.partition("/")[0]
    hexadecimal = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    assert hexadecimal, f"{case.name}: sha256 gives {digest[:20]!r}: give the SHA-256 of the weights' file"


@_check
def refuses_other_weights(case: ExtractorCase) -> None:
    """Another file of weights has another identity, or is refused in one line."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, "other.safetensors")
        other.write_bytes(b"no weights")
        try:
            found = case.source.identity(other)
        except RequestError as error:
            told = str(error)
            assert "\n" not in told, f"{case.name}: what it says of a file without weights is not one line"
            return
    same = found == case.identity()
    assert not same, f"{case.name}: another file of weights has the same identity: hash the file that is named"


EXTRACTOR_CHECKS = (
    is_an_extractor_source,
    gives_finite_features,
    gives_probabilities_that_sum_to_one,
    looks_at_each_image_alone,
    gives_the_same_each_time,
    leaves_its_images_alone,
    takes_images_of_any_form,
    has_an_identity,
    refuses_other_weights,
)


def check_extractor(source: ExtractorSource, weights: Path | None = None) -> None:
    """Run every check on an extractor. Raises AssertionError, with a line for each rule that is broken."""
    require(EXTRACTOR_CHECKS, ExtractorCase(source, weights))
