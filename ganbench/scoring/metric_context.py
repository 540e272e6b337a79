"""What metrics are computed from: real images, known once, and one set of samples; whatever is shared is made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from ganbench.data.dataset import Modes
from ganbench.metrics._pairwise.api import PairReference, PairScores
from ganbench.metrics.authenticity import Originals
from ganbench.metrics.downstream_classifier import predictions
from ganbench.metrics.fid import FrechetReference, Gaussian
from ganbench.metrics.mode_counts import ModeCounts, mode_counts


@dataclass
class Real:
    """What is known of real images, and what follows from them alone.

    `images` uint8 (n, C, H, W), or points float32 (n, D), `labels` int64 (n,) and `features` (n, d) are those of the
    reference; where only its `moments` are known, all three are None. `train` are the features of training images, or
    None. `oracle` tells whether the extractor's classes are those of `labels`. `modes` are those that points were drawn
    from.
    """

    images: Tensor | None
    labels: Tensor | None
    features: Tensor | None
    train: Tensor | None = None
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
    def originals(self) -> Originals:
        assert self.train is not None
        return Originals(self.train)


@dataclass(frozen=True)
class Classifier:
    """The downstream classifier's schedule: `steps` updates, for each of `count` seeds from `seed` on."""

    steps: int
    seed: int
    count: int = 1


@dataclass
class MetricContext:
    """One set of samples beside real images.

    `images` are uint8 (m, C, H, W), or points float32 (m, D), `features` float32 (m, d), `probabilities` (m, K) or
    None, `labels` int64 (m,) those that the samples were made for, or None. `final` is False at the points of a curve,
    where what is dear is left out: the classifier, standard errors. `log_likelihood` (r,) are the model's lower bounds
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
        """Tell whether one of `ganbench.metric.NEEDS` is there."""
        real = self.real
        return {
            "moments": real.features is not None or real.moments is not None,
            "reference": real.features is not None,
            "probabilities": self.probabilities is not None,
            "train": real.train is not None,
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
        """The classes, int64 (m,), that the extractor sees in the samples."""
        assert self.probabilities is not None
        return self.probabilities.argmax(1).to(self.images.device)

    @cached_property
    def caught(self) -> ModeCounts:
        """How many of the samples, which are points, each mode has."""
        modes = self.real.modes
        assert modes is not None
        return mode_counts(self.images, modes.centres, modes.sigma)

    @cached_property
    def pairs(self) -> PairScores:
        """What one pass over all pairs of rows tells: precision, recall, density, coverage, ``kid_exact``."""
        return self.real.pairs.compare(self.features, exact=True)

    def taught(self, labels: Tensor, count: int | None = None) -> list[Tensor]:
        """Return what classifiers trained on the samples, with these labels, take the reference images for.

        There are `count` of them, None for as many as the schedule says.
        """
        real, schedule = self.real, self.classifier
        assert schedule is not None and real.images is not None
        return [
            predictions(self.images, labels, real.images, classes=real.classes, steps=schedule.steps, seed=seed)
            for seed in range(schedule.seed, schedule.seed + (count or schedule.count))
        ]
