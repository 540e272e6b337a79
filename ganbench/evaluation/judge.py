"""Score samples against a data set's test images: one feature pass, then every metric from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.data.dataset import Dataset, Split
from ganbench.evaluation.classifier import downstream_accuracy
from ganbench.evaluation.features import extract, extract_real
from ganbench.extractors.base import Extractor, Features
from ganbench.metrics import density_coverage, frechet_distance, inception_score, precision_recall
from ganbench.metrics.memorisation import Originals


@dataclass(frozen=True)
class Reference:
    """Real images that are no data set.

    Without training images there is no ``authenticity``, without classes no ``acc``.
    """

    test: Split
    train: Split | None = None
    classes: int = 0


class Judge:
    """What does not change from one evaluation to the next: extractor, reference and training features.

    `identity` is the extractor's name for caches; `oracle` tells whether its classes are the data set's own.
    """

    def __init__(
        self, dataset: Dataset | Reference, extractor: Extractor, identity: str, *, oracle: bool, device: torch.device
    ) -> None:
        self._extractor, self._oracle, self._classes = extractor, oracle, dataset.classes
        self._test_images = torch.from_numpy(dataset.test.images).to(device)
        labels = dataset.test.labels
        self._test_labels = None if labels is None else torch.from_numpy(labels).to(device)
        self.reference = extract_real(extractor, identity, self._test_images).features
        self._originals: Originals | None = None
        if dataset.train is not None:
            train_images = torch.from_numpy(dataset.train.images).to(device)
            self._originals = Originals(extract_real(extractor, identity, train_images).features)

    def score(
        self, images: Tensor, labels: Tensor | None = None, *, classifier_steps: int = 0, seed: int = 0
    ) -> dict[str, float]:
        """Return metrics by name for uint8 images (N, C, H, W) on the judge's device.

        `labels` are those the samples were conditioned on: they give ``acc``. ``acc_oracle`` takes the extractor's
        labels instead. Both are left out where `classifier_steps` is 0, and whatever does not apply is left out.
        """
        found = extract(self._extractor, images)
        return self.score_features(found, images, labels, classifier_steps=classifier_steps, seed=seed)

    def score_features(
        self, found: Features, images: Tensor, labels: Tensor | None = None, *, classifier_steps: int = 0, seed: int = 0
    ) -> dict[str, float]:
        """Return what `score` returns, from the features of `images` that were extracted already."""
        scores = {"fid": frechet_distance(self.reference, found.features)}
        if found.probabilities is not None:
            scores["is"], scores["is_sd"] = inception_score(found.probabilities)
        scores["precision"], scores["recall"] = precision_recall(self.reference, found.features)
        scores["density"], scores["coverage"] = density_coverage(self.reference, found.features)
        if self._originals is not None:
            scores["authenticity"] = self._originals.authenticity(found.features)
        if classifier_steps and self._test_labels is not None:
            labellings = {"acc": labels}
            if self._oracle and found.probabilities is not None:
                labellings["acc_oracle"] = found.probabilities.argmax(1).to(images.device)
            for name, labelling in labellings.items():
                if labelling is not None:
                    scores[name] = downstream_accuracy(
                        images, labelling, self._test_images, self._test_labels,
                        classes=self._classes, steps=classifier_steps, seed=seed,
                    )  # fmt: skip
        return scores
