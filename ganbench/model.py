"""What an author subclasses: `Model`, and the two small objects that it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn


@dataclass(frozen=True)
class DataSpec:
    """What a model may know of the data before it sees any.

    `shape` is (C, H, W) or (D,); `classes` is 0 where unlabelled; `n` is the number of training images.
    """

    shape: tuple[int, ...]
    classes: int
    name: str
    n: int


class Batch(NamedTuple):
    """Real images, float (B, *shape) in [-1, 1], and labels, int64 (B,) or None, on the training device."""

    images: Tensor
    labels: Tensor | None


BATCH_SIZE = 64
"""Images in a batch where a model's `Config` has no `batch_size`."""


class Model(nn.Module):
    """A generative model: how to learn from one batch, and how to sample.

    The harness owns the loop, the clock, the seed, the device and the NaN guard; the model owns its
    networks, its losses and its optimisers. Modules and optimisers are attributes made in `__init__`;
    the harness moves the former to the device before the first `step`.

    A class that does not define `step` is not trained: `finish` alone prepares it, as a baseline.
    """

    name: ClassVar[str]
    family: ClassVar[str] = "other"
    """gan, vae, autoencoder, baseline, ..."""
    version: ClassVar[str] = "1"
    """Raise it when a change makes the model another one; it is part of every trial's key."""
    paper: ClassVar[str] = ""
    """Where the model was described, e.g. ``arXiv:1406.2661``."""
    conditional: ClassVar[bool] = False
    """True: `step` and `sample` use labels."""
    role: ClassVar[str] = "model"
    """``model`` is ranked. ``ceiling``, ``floor`` and ``memoriser`` mark the rows that calibrate a board and are
    not; a ``ceiling`` is given the held-out images in `finish` instead of the training images."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Modules beyond ganbench's dependencies that it imports once it is made: where one is not installed, a request
    that names the model is refused, and ``all`` leaves it out and says so."""
    autocast: ClassVar[bool] = True
    """False keeps `step` in float32 where the harness would use bfloat16 autocast."""

    @dataclass(frozen=True)
    class Config:
        """Every hyper-parameter, typed, with its default."""

        batch_size: int = BATCH_SIZE

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__()
        self.data = data
        self.config = config

    @classmethod
    def sampler(cls, config: Any) -> str:
        """Say in a few words what samples are decoded from, e.g. ``N(0, I), averaged weights``: the row shows it."""
        return ""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one update from one batch; return the losses, 0-d tensors left on the device."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """Return n samples, float (n, C, H, W) in [-1, 1]; `labels` (n,) only where `conditional`."""
        raise NotImplementedError(f"{type(self).__name__} does not define sample")

    def log_likelihood(self, images: Tensor) -> Tensor:
        """Return lower bounds of log p(x) in bits per dimension, (n,), where `conditional` for labels unknown.

        For models of binary images that is a probability, for others a density of values in [-1, 1]. A model that
        does not define it has no value in the columns that need it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define log_likelihood")

    def finish(self, data: Batch) -> None:
        """Do what follows training, such as fitting a latent density; billed to the budget.

        `data` is the whole training set as one batch.
        """

    def extra_state(self) -> dict[str, Any]:
        """State besides parameters, buffers and optimisers that a checkpoint must hold (tensors and plain values)."""
        return {}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what `extra_state` gave."""
