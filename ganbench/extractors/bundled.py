"""The LeNets that ganbench ships: one for digits, one for clothing; `train_bundled` makes them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import RequestError
from ganbench.extractors.base import ExtractorSource
from ganbench.extractors.classifier_file import RESIZE
from ganbench.util.atomic_io import sha256_of

if TYPE_CHECKING:
    import torch

    from ganbench.extractors.frozen_classifier import FrozenClassifier

WEIGHTS = Path(__file__).with_name("weights")


def _own(name: str) -> Path:
    return WEIGHTS / f"{name}.safetensors"


def _file(name: str, weights: Path | None) -> Path:
    path = weights or _own(name)
    if not path.is_file():
        raise RequestError(
            f"extractor {name!r}: no weights at {path}: name the file with --weights or reinstall ganbench"
        )
    return path


def _load(name: str, device: torch.device, weights: Path | None) -> FrozenClassifier:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ganbench.extractors.frozen_classifier import FrozenClassifier
    from ganbench.extractors.lenet import LeNet

    path, network = _file(name, weights), LeNet()
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise RequestError(
            f"extractor {name!r}: {path} does not hold a LeNet's weights ({type(error).__name__})"
        ) from error
    return FrozenClassifier(network.to(device), LeNet.shape, name)


def _source(name: str, what: str) -> ExtractorSource:
    return ExtractorSource(
        name,
        f"LeNet trained on {what}",
        load=partial(_load, name),
        sha256=lambda weights: sha256_of(_file(name, weights)),
        classes=10,
        feature_dim=128,
        files=(_own(name),),
        resize=RESIZE,
    )


LENETS = (_source("lenet-mnist", "MNIST digits"), _source("lenet-fashion-mnist", "Fashion-MNIST clothing"))
