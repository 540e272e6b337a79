"""The LeNets that ganbench ships: one for digits, one for clothing; `training` says how they were made."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import RequestError
from ganbench.extractors.base import ExtractorSource, Features
from ganbench.files import sha256_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganbench.extractors.lenet import LeNet

WEIGHTS = Path(__file__).with_name("weights")


class LeNetExtractor:
    """A frozen LeNet: colour becomes luma (BT.601), other sizes are resized to 28x28 (bilinear, antialiased)."""

    def __init__(self, network: LeNet) -> None:
        self._network = network.eval().requires_grad_(False)

    def __call__(self, images: Tensor) -> Features:
        import torch
        from torch.nn import functional as F

        from ganbench.extractors.lenet import to_unit_range

        pixels = to_unit_range(images)
        if pixels.shape[1] == 3:
            luma = torch.tensor([0.299, 0.587, 0.114], device=pixels.device).view(1, 3, 1, 1)
            pixels = (pixels * luma).sum(1, keepdim=True)
        elif pixels.shape[1] != 1:
            raise RequestError(f"extractor lenet: images have {pixels.shape[1]} channels, it takes 1 or 3")
        if pixels.shape[2:] != (28, 28):
            pixels = F.interpolate(pixels, size=(28, 28), mode="bilinear", antialias=True, align_corners=False)
        with torch.no_grad():
            features, logits = self._network(pixels)
        return Features(features, logits.softmax(1))


def _file(name: str, weights: Path | None) -> Path:
    path = weights or WEIGHTS / f"{name}.safetensors"
    if not path.is_file():
        raise RequestError(
            f"extractor {name!r}: no weights at {path}: name the file with --weights or reinstall ganbench"
        )
    return path


def _load(name: str, device: torch.device, weights: Path | None) -> LeNetExtractor:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ganbench.extractors.lenet import LeNet

    path, network = _file(name, weights), LeNet()
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise RequestError(
            f"extractor {name!r}: {path} does not hold a LeNet's weights ({type(error).__name__})"
        ) from error
    return LeNetExtractor(network.to(device))


def _source(name: str, what: str) -> ExtractorSource:
    return ExtractorSource(
        name,
        f"LeNet trained on {what}, 128 features, bundled",
        load=partial(_load, name),
        sha256=lambda weights: sha256_of(_file(name, weights)),
        classes=10,
    )


LENETS = (_source("lenet-mnist", "MNIST digits"), _source("lenet-fashion-mnist", "Fashion-MNIST clothing"))
