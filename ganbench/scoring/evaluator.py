"""Score samples against real images: one feature pass, then every metric that is asked for and applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.data.dataset import Dataset, Split
from ganbench.extractors.base import Extractor, Features
from ganbench.metric import HEADLINE, LACKING, Metric, Score
from ganbench.metrics.fid import Gaussian
from ganbench.scoring.features import extract, extract_real
from ganbench.scoring.metric_context import Classifier, MetricContext, Real


@dataclass(frozen=True)
class Reference:
    """Real images that are no data set, or their moments alone: what needs more is left out."""

    test: Split | None
    moments: Gaussian | None = None
    train: None = None
    classes: int = 0
    class_names: tuple[str, ...] = ()
    modes: None = None


@dataclass(frozen=True)
class EvaluationResult:
    """Scores by name, and for each metric that has none the reason."""

    scores: dict[str, Score]
    skipped: dict[str, str]


class Evaluator:
    """What does not change from one evaluation to the next: metrics, extractor, and what is known of real images.

    `identity` is the extractor's name for caches; `oracle` tells whether its classes are the data set's own. The
    metric called `headline` is not left out where it fails: without it samples have no place on a board.
    `tick` is called whenever a batch of features or a metric is about to be computed.
    """

    def __init__(
        self,
        dataset: Dataset | Reference,
        extractor: Extractor,
        identity: str,
        metrics: Sequence[Metric],
        *,
        oracle: bool,
        device: torch.device,
        headline: str = HEADLINE.name,
        tick: Callable[[], None] = lambda: None,
        against: str = "test",
    ) -> None:
        def watched(images: Tensor) -> Features:
            tick()
            return extractor(images)

        self._extractor, self._metrics, self._tick = watched, tuple(metrics), tick
        self._headline = headline

        def features(split: Split | None) -> tuple[Tensor | None, Tensor | None]:
            if split is None:
                return None, None
            images = torch.from_numpy(split.images).to(device)
            return images, extract_real(watched, identity, images).features

        compared = dataset.split(against) if isinstance(dataset, Dataset) else dataset.test
        images, reference = features(compared)
        labels = None if compared is None else compared.labels
        self.real = Real(
            images, None if labels is None else torch.from_numpy(labels).to(device), reference,
            train=features(dataset.train)[1], moments=getattr(dataset, "moments", None),
            classes=dataset.classes, oracle=oracle, modes=dataset.modes,
        )  # fmt: skip

    def asks_for(self, need: str) -> bool:
        """Tell whether a metric needs one of `ganbench.metric.NEEDS`."""
        return any(need in metric.needs for metric in self._metrics)

    def score(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        classifier: Classifier | None = None,
        final: bool = True,
        log_likelihood: Tensor | None = None,
    ) -> EvaluationResult:
        """Return the scores of uint8 images (N, C, H, W), or of points float32 (N, D), on the judge's device.

        `labels` are those the samples were made for. Without `classifier` no downstream accuracy is taken; without
        `final` nothing is that a point of a curve can do without. `log_likelihood` are the model's bounds, as in
        `MetricContext`.
        """
        return self.score_features(
            extract(self._extractor, images), images, labels,
            classifier=classifier, final=final, log_likelihood=log_likelihood,
        )  # fmt: skip

    def score_features(
        self,
        found: Features,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        classifier: Classifier | None = None,
        final: bool = True,
        log_likelihood: Tensor | None = None,
    ) -> EvaluationResult:
        """Return what `score` returns, from the features of `images` that were extracted already."""
        evidence = MetricContext(
            self.real, images, found.features, found.probabilities, labels, classifier, final, log_likelihood
        )
        scores, skipped = dict[str, Score](), dict[str, str]()
        for metric in self._metrics:
            self._tick()
            missing = [need for need in metric.needs if not evidence.has(need)]
            if missing:
                skipped[metric.name] = LACKING + ", ".join(missing)
                continue
            try:
                scores[metric.name] = metric.score(evidence)
            except Exception as error:  # a metric may be anybody's: the others' scores are kept
                if metric.name == self._headline:
                    raise
                kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
                skipped[metric.name] = " ".join(f"{kind}{error}".split())
        return EvaluationResult(scores, skipped)
