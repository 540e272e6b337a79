"""What metrics are computed from: real images and one set of samples. What several metrics share is computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ganbench.data.dataset import Modes
from ganbench.metrics._pairwise.api import PairReference, PairScores
from ganbench.metrics.authenticity import Originals
from ganbench.metrics.data_copying import CopyingCells, CopyingReference
from ganbench.metrics.downstream_classifier import predictions
from ganbench.metrics.duplicates import DuplicateReference
from ganbench.metrics.fid import FrechetReference, Gaussian
from ganbench.metrics.kernel_moments import KernelMoments
from ganbench.metrics.mode_counts import ModeCounts, count_modes
from ganbench.scoring.features import kept


@dataclass
class Real:
    """What is known of real images, and what depends on them alone: computed when first needed, kept for every run.

    `images` uint8 (n, C, H, W), or points float32 (n, D), `labels` int64 (n,) and `features` (n, d) are those of the
    reference; where only its `moments` are known, all three are None. `train` are the features of training images, and
    `train_images` those images, or None. `oracle` tells whether the extractor's classes are those of `labels`. `modes`
    are those that points were drawn from.
    """

    images: Tensor | None
    labels: Tensor | None
    features: Tensor | None
    train: Tensor | None = None
    train_images: Tensor | None = None
    moments: Gaussian | None = None
    classes: int = 0
    oracle: bool = False
    modes: Modes | None = None

    @cached_property
    def frechet(self) -> FrechetReference:
        known = self.moments if self.features is None else self.features
        assert known is not None
        return FrechetReference(known)

    @cached_property
    def pairs(self) -> PairReference:
        assert self.features is not None
        return PairReference(self.features)

    @cached_property
    def kernel(self) -> KernelMoments:
        assert self.features is not None
        found = KernelMoments()
        found.add(self.features)
        return found

    @cached_property
    def originals(self) -> Originals:
        train = self.train
        assert train is not None
        found = kept("edges 1", ("edges",), [train], lambda: {"edges": Originals(train).edges})
        return Originals(train, found["edges"])

    @cached_property
    def copying(self) -> CopyingReference:
        train, unseen = self.train, self.features
        assert train is not None and unseen is not None
        found = kept(
            "copying 1", CopyingCells._fields, [train, unseen], lambda: CopyingReference(train, unseen).known._asdict()
        )
        return CopyingReference(train, unseen, known=CopyingCells(**found))

    @cached_property
    def duplicates(self) -> DuplicateReference:
        """Training images, which samples may be copies of, and the reference, which are none."""
        assert self.train_images is not None and self.images is not None
        return _duplicates(self.train_images, self.images)

    @cached_property
    def leaks(self) -> DuplicateReference:
        """Reference images, which samples may be copies of."""
        assert self.images is not None
        return _duplicates(self.images, None)


def _duplicates(originals: Tensor, unseen: Tensor | None) -> DuplicateReference:
    """Return what copies of `originals` are found by; how near images that are no copies come is kept in the cache."""

    def compute() -> dict[str, Tensor]:
        return {"threshold": torch.tensor(DuplicateReference(originals, unseen).threshold, dtype=torch.float64)}

    images = [originals] if unseen is None else [originals, unseen]
    found = kept("duplicates 1", ("threshold",), images, compute)
    return DuplicateReference(originals, unseen, threshold=float(found["threshold"]))


@dataclass(frozen=True)
class Classifier:
    """The downstream classifier's schedule: `steps` updates, for each of `count` seeds from `seed` on.

    With `random_labels` one more learns from the same images with shuffled labels, which shows the accuracy to expect
    of labels that mean nothing. It is wanted for real images only.
    """

    steps: int
    seed: int
    count: int = 1
    random_labels: bool = False


@dataclass
class MetricContext:
    """One set of samples and the real images that they are compared with.

    `images` are uint8 (m, C, H, W), or points float32 (m, D), `features` float32 (m, d), `probabilities` (m, K) or
    None, `labels` int64 (m,) those that the samples were made for, or None. `final` is False at the points of a curve,
    where what takes long is skipped: classifiers, standard errors. `log_likelihood` (r,) are the model's lower bounds
    for the first r reference images, in bits per dimension, or None.
    """

    real: Real
    images: Tensor
    features: Tensor
    probabilities: Tensor | None = None
    labels: Tensor | None = None
    classifier: Classifier | None = None
    final: bool = True
    log_likelihood: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def has(self, need: str) -> bool:
        """Return whether one of `ganbench.metric.NEEDS` is available."""
        real = self.real
        return {
            "moments": real.features is not None or real.moments is not None,
            "reference": real.features is not None,
            "probabilities": self.probabilities is not None,
            "train": real.train is not None,
            "images": real.images is not None and self.images.ndim == 4,
            "labels": self.labels is not None and real.labels is not None,
            "oracle": real.oracle and self.probabilities is not None,
            "final": self.final,
            "classifier": self.classifier is not None and real.labels is not None and self.images.ndim != 2,
            "modes": real.modes is not None,
            "likelihood": self.log_likelihood is not None,
        }[need]

    @property
    def reference(self) -> Tensor:
        """The reference's features."""
        assert self.real.features is not None
        return self.real.features

    @property
    def both_labels(self) -> tuple[Tensor, Tensor]:
        """The reference's labels, and those that the samples were made for."""
        assert self.real.labels is not None and self.labels is not None
        return self.real.labels, self.labels

    @property
    def oracle_classes(self) -> Tensor:
        """The classes, int64 (m,), that the extractor predicts for the samples."""
        assert self.probabilities is not None
        return self.probabilities.argmax(1).to(self.images.device)

    @cached_property
    def mode_counts(self) -> ModeCounts:
        """How many of the samples, which are points, are near each mode."""
        modes = self.real.modes
        assert modes is not None
        return count_modes(self.images, modes.centres, modes.sigma)

    @cached_property
    def pairs(self) -> PairScores:
        """Precision, recall, density, coverage and ``kid_exact``, from one pass over all pairs of rows."""
        return self.real.pairs.compare(self.features, exact=True)

    def train_classifiers(self, labels: Tensor, count: int | None = None) -> list[Tensor]:
        """Train `count` classifiers on the samples with these labels; return their predictions for reference images.

        Each is int64 (n,). `count` is by default that of the schedule.
        """
        real, schedule = self.real, self.classifier
        assert schedule is not None and real.images is not None
        return [
            predictions(self.images, labels, real.images, classes=real.classes, steps=schedule.steps, seed=seed)
            for seed in range(schedule.seed, schedule.seed + (count or schedule.count))
        ]
