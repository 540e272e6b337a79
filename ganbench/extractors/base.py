"""What an extractor is: a frozen network, its preprocessing included, that turns images into features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ganbench.errors import RequestError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Features(NamedTuple):
    """Features, float32 (N, D), and class probabilities, float32 (N, K), or None where the network has none."""

    features: Tensor
    probabilities: Tensor | None


class Extractor(Protocol):
    """Turn uint8 images (N, C, H, W) on the device into features; resizing and scaling are its own affair."""

    def __call__(self, images: Tensor) -> Features: ...


class Outputs(NamedTuple):
    """What a network returns, known before it is loaded: how many classes (0: none) and features (0: unknown)."""

    classes: int
    feature_dim: int


@dataclass(frozen=True)
class ExtractorSource:
    """How an extractor is obtained.

    `load(device, weights)` builds it; `sha256(weights)` names its weights; `weights` is the file of ``--weights`` or
    None. Both raise `RequestError` where the weights cannot be had. `classes` is the number of classes it tells apart
    (0: none); where these are a data set's own, it also says which class a sample shows. `feature_dim` is D of
    `Features` (0: unknown). Where both depend on the weights, `outputs(weights)` reads them, and callers ask
    `outputs_of`. `preprocessing` is raised when resizing, scaling or channels are treated another way,
    and `resize` says in words, for reports, what happens to images of another size than the network's.

    `files` are those that hold the weights where no ``--weights`` is given, for the list of extractors: one absolute
    path comes with a package, and `sha256` is that file's; relative ones lie in torch.hub's folder and are downloaded
    on first use; an empty tuple says that ``--weights`` always has to name one; None says nothing. `install` is the
    command that brings the file of a package where it is missing. `points` tells that it takes points, float (N, D),
    and no images.
    """

    name: str
    summary: str
    load: Callable[[torch.device, Path | None], Extractor]
    sha256: Callable[[Path | None], str]
    classes: int = 0
    preprocessing: int = 1
    feature_dim: int = 0
    outputs: Callable[[Path | None], Outputs] | None = None
    files: tuple[Path, ...] | None = None
    install: str = ""
    points: bool = False
    resize: str = ""

    def identity(self, weights: Path | None) -> str:
        """Return the hash that stands for network, weights and preprocessing in records and caches."""
        return f"{self.sha256(weights)}/p{self.preprocessing}"

    def outputs_of(self, weights: Path | None) -> Outputs:
        """Return classes and features with these weights; raise `RequestError` where a file must say and cannot."""
        return self.outputs(weights) if self.outputs else Outputs(self.classes, self.feature_dim)

    def check(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise `RequestError` where it does not take what the data set `name` holds: `shape` is (C, H, W) or (D,)."""
        if self.points != (len(shape) == 1):
            holds, takes = ("images", "points") if self.points else ("points", "images")
            advice = "`ganbench extractors` lists others" if self.points else "take the extractor 'coordinates'"
            raise RequestError(f"extractor {self.name!r}: takes {takes}, and {name} holds {holds}: {advice}")

    def classes_of(self, weights: Path | None) -> int:
        """Return the number of classes that the network distinguishes with these weights (0: none)."""
        return self.outputs_of(weights).classes
