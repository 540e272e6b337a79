"""What an author subclasses: `Model`, and the two small objects that it is given."""

from __future__ import annotations

from collections.abc import Mapping
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

    A class that does not define `step` has no training loop: `finish` alone fits it, as in a Gaussian fitted in
    closed form. The names ``real``, ``noise`` and ``replay`` are taken: they are the baselines of every board.
    """

    name: ClassVar[str]
    family: ClassVar[str] = "other"
    """gan, vae, autoencoder, flow, diffusion, ..."""
    version: ClassVar[str] = "1"
    """Raise it when a change makes the model another one; it is part of every run's key."""
    paper: ClassVar[str] = ""
    """Where the model was described, e.g. ``arXiv:1406.2661``."""
    homepage: ClassVar[str] = ""
    """Where to read more, an ``https://`` address."""
    conditional: ClassVar[bool] = False
    """True: `step` and `sample` use labels."""
    assets: ClassVar[tuple[str, ...]] = ()
    """Files that decide what the model does beside its code, such as fixed weights: paths relative to the folder of
    the module that declares them. Their content is part of every run's key."""
    transient: ClassVar[tuple[str, ...]] = ()
    """Attributes that no checkpoint holds, such as ``("rows", "head.cache")``: `__init__` makes them, and
    `load_extra_state` brings them to where they were. All others are saved, or named where they cannot be."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Modules beyond ganbench's dependencies that it imports in `__init__` or later. Where one is not installed, a
    request that names the model is refused, and ``--plugins all`` leaves the model out and says so."""
    resources: ClassVar[Mapping[str, float | str]] = {}
    """What a run needs of a node of a cluster where it is more than a core, such as
    ``{"cpus": 2, "gpus": 0.5, "memory": "16GiB"}``; ``--per-run`` overrides it. No part of a run's key."""
    autocast: ClassVar[bool] = True
    """False keeps `step` in float32 where the harness would use bfloat16 autocast."""

    @dataclass(frozen=True)
    class Config:
        """Every hyper-parameter: a frozen dataclass whose fields have types and defaults that JSON can hold."""

        batch_size: int = BATCH_SIZE

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__()
        self.data = data
        self.config = config

    @classmethod
    def sampler(cls, config: Any) -> str:
        """Return in a few words what samples are decoded from, e.g. ``N(0, I), averaged weights``; boards show it."""
        return ""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one update from one batch; return the losses, 0-d tensors left on the device."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """Return n samples, float (n, C, H, W) in [-1, 1]; `labels` (n,) only where `conditional`."""
        raise NotImplementedError(f"{type(self).__name__} does not define sample")

    def log_likelihood(self, images: Tensor) -> Tensor:
        """Return lower bounds of log p(x) in bits per dimension, (n,); a conditional model sums over its labels.

        p is a probability where images are binary, else a density of values in [-1, 1]. A model that does not
        define this has no value in the columns that need it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define log_likelihood")

    def finish(self, data: Batch) -> None:
        """Do what follows the last `step`, such as fitting a latent density; billed to the budget.

        `data` is the whole training set as one batch.
        """

    def extra_state(self) -> dict[str, Any]:
        """Return state besides parameters, buffers and optimisers that checkpoints must hold: tensors, plain values."""
        return {}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `extra_state` returned."""
