"""A frozen classifier for a data set: what ``ganbench extractor train`` does.

The network learns from the data set's `train` split alone; its accuracy on `test` is measured once, at the end, and
decides nothing. Such an extractor has seen the images that models learn from, never those that they are scored
against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

import ganbench
from ganbench.data.dataset import Dataset, Split
from ganbench.errors import RequestError
from ganbench.extractors.architectures import LEAST, Architecture, fitting
from ganbench.extractors.classifier_file import PREPROCESSING, ClassifierInfo, PackedClassifier, pack
from ganbench.extractors.train import BATCH, CPU, Progress, accuracy, default_epochs, train


class TrainingPlan(NamedTuple):
    """What will be trained, checked: an architecture, the shape that it takes, and for how long."""

    dataset: Dataset
    architecture: Architecture
    shape: tuple[int, int, int]
    epochs: int
    updates: int


def plan_training(dataset: Dataset, epochs: int | None = None) -> TrainingPlan:
    """Return what fits a data set; raise `RequestError` where no classifier can be trained on it."""
    train_split, who = dataset.train, f"data set {dataset.name!r}"
    if dataset.classes < 2:
        raise RequestError(f"{who}: has {dataset.classes or 'no'} classes: an extractor needs at least two classes")
    for name, split in (("training", train_split), ("test", dataset.test)):
        _check_labels(split, dataset.classes, f"{who}: its {name} split")
    if len(dataset.shape) == 1:
        raise RequestError(f"{who}: holds points, and only images train an extractor: use the extractor 'coordinates'")
    channels, *size = dataset.shape
    if channels not in (1, 3) or min(size) < LEAST:
        form = "x".join(map(str, dataset.shape))
        raise RequestError(
            f"{who}: images are {form} (channels first): 1 or 3 channels and sides from {LEAST} are read"
        )
    if epochs is None:
        epochs = default_epochs(len(train_split))
    updates = epochs * (len(train_split) // min(BATCH, len(train_split)))
    return TrainingPlan(dataset, *fitting(dataset.shape), epochs, updates)


def _check_labels(split: Split, classes: int, who: str) -> None:
    if split.labels is None or not len(split):
        raise RequestError(f"{who} has no {'labels' if len(split) else 'images'}: an extractor needs labelled images")
    if split.labels.min() < 0 or split.labels.max() >= classes:
        raise RequestError(
            f"{who} has labels from {split.labels.min()} to {split.labels.max()}: with {classes} classes they are 0 to "
            f"{classes - 1}"
        )


def train_classifier(
    plan: TrainingPlan,
    *,
    seed: int = 0,
    flip: bool = False,
    device: torch.device = CPU,
    report: Callable[[Progress], None] = lambda progress: None,
) -> PackedClassifier:
    """Train and return a file's content. On a CPU, the same seed and number of threads give the same bytes.

    `report` is called after every update. torch's global seed is left as it was.
    """
    dataset, architecture, shape = plan.dataset, plan.architecture, plan.shape
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        network = train(
            dataset.train, lambda: architecture.build(shape, dataset.classes), shape,
            epochs=plan.epochs, flip=flip, seed=seed, device=device, report=report,
        )  # fmt: skip
    info = ClassifierInfo(
        architecture=architecture.name, architecture_version=architecture.version, input_shape=shape,
        classes=dataset.classes, feature_dim=architecture.feature_dim, preprocessing=PREPROCESSING,
        dataset=dataset.name, dataset_sha256=dataset.sha256, training_images=len(dataset.train),
        epochs=plan.epochs, updates=plan.updates, flip=flip, seed=seed, device=device.type,
        test_accuracy=round(accuracy(network, dataset.test, shape, device), 6), test_images=len(dataset.test),
        torch=torch.__version__, ganbench=ganbench.__version__,
    )  # fmt: skip
    return PackedClassifier(info, pack(info, network.state_dict()))
