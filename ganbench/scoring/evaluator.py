"""Score samples against real images: features once, then every metric that is asked for and applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    """Real images that are not a data set, or their moments alone; metrics that need more are skipped."""

    test: Split | None
    moments: Gaussian | None = None
    train: None = None
    classes: int = 0
    class_names: tuple[str, ...] = ()
    modes: None = None


@dataclass(frozen=True)
class EvaluationResult:
    """Scores by name, and the reason for each metric that was skipped."""

    scores: dict[str, Score]
    skipped: dict[str, str]


class Evaluator:
    """Metrics, an extractor and what is known of real images: computed once, used for many sets of samples.

    `against` is the split of a data set that samples are compared with. `identity` is the extractor's name for
    caches, None where it has none; `oracle` tells whether its classes are the data set's own. Where the metric called
    `headline` fails, its error is raised: samples without it have no place on a board. `tick` is called whenever a
    batch of features or a metric is about to be computed.
    """

    def __init__(
        self,
        dataset: Dataset | Reference,
        extractor: Extractor,
        identity: str | None,
        metrics: Sequence[Metric],
        *,
        oracle: bool,
        device: torch.device,
        headline: str = HEADLINE.name,
        tick: Callable[[], None] = lambda: None,
        against: str = "test",
    ) -> None:
        def ticking(images: Tensor) -> Features:
            tick()
            return extractor(images)

        self._extractor, self._metrics, self._tick = ticking, tuple(metrics), tick
        self._headline = headline

        def features(split: Split | None) -> tuple[Tensor | None, Tensor | None]:
            if split is None:
                return None, None
            images = torch.from_numpy(split.images).to(device)
            if identity is None:
                return images, extract(ticking, images).features
            return images, extract_real(ticking, identity, images).features

        compared = dataset.split(against) if isinstance(dataset, Dataset) else dataset.test
        images, reference = features(compared)
        labels = None if compared is None else compared.labels
        train_images, train = features(dataset.train) if self.asks_for("train") else (None, None)
        self.real = Real(
            images, None if labels is None else torch.from_numpy(labels).to(device), reference,
            train=train, train_images=train_images,
            moments=getattr(dataset, "moments", None), classes=dataset.classes, oracle=oracle, modes=dataset.modes,
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
        """Return the scores of uint8 images (N, C, H, W), or of points float32 (N, D), on the evaluator's device.

        `labels` are those the samples were made for. Without `classifier` downstream accuracies are skipped;
        without `final` all metrics that need it. `log_likelihood` are the model's bounds, as in
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
        """Return what `score` returns, from features of `images` that were extracted before."""
        context = MetricContext(
            self.real, images, found.features, found.probabilities, labels, classifier, final, log_likelihood
        )
        return score_context(self._metrics, context, headline=self._headline, tick=self._tick)


def score_context(
    metrics: Iterable[Metric],
    context: MetricContext,
    *,
    headline: str = "",
    tick: Callable[[], None] = lambda: None,
) -> EvaluationResult:
    """Compute every metric that applies to samples of known features; `headline` and `tick` as of `Evaluator`."""
    scores, skipped = dict[str, Score](), dict[str, str]()
    for metric in metrics:
        tick()
        missing = [need for need in metric.needs if not context.has(need)]
        if missing:
            skipped[metric.name] = LACKING + ", ".join(missing)
            continue
        try:
            scores[metric.name] = metric.score(context)
        except Exception as error:  # a metric may be from a plugin: the others' scores are kept
            if metric.name == headline:
                raise
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            skipped[metric.name] = " ".join(f"{kind}{error}".split())
    return EvaluationResult(scores, skipped)
