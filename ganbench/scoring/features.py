"""Images to features in one pass, and a cache of the features of real images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ganbench.extractors.base import Extractor, Features
from ganbench.util.atomic_io import atomic_write
from ganbench.util.cache import cache_folder

CHUNK = 250


def extract(extractor: Extractor, images: Tensor) -> Features:
    """Return the features of uint8 images (N, C, H, W), or of points (N, D), from one pass in chunks.

    They stay on the extractor's device, and so do the metrics that are computed from them. Convolutions are without
    TF32, whatever the process is set to: features would depend on the GPU.
    """
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=cudnn.enabled, allow_tf32=False):
        parts = [extractor(chunk) for chunk in images.split(CHUNK)]
    features = torch.cat([part.features for part in parts])
    if parts[0].probabilities is None:
        return Features(features, None)
    return Features(features, torch.cat([part.probabilities for part in parts if part.probabilities is not None]))


def extract_real(extractor: Extractor, identity: str, images: Tensor) -> Features:
    """Do the same for real images: kept in the cache by content of images and `identity` of extractor.

    Returned on the images' device.
    """

    def compute() -> dict[str, Tensor]:
        found = extract(extractor, images)
        return {name: tensor for name, tensor in found._asdict().items() if tensor is not None}

    digest = hashlib.sha256(f"{identity} {tuple(images.shape)} ".encode())
    digest.update(images.cpu().contiguous().numpy().data)
    kept = _kept(digest.hexdigest(), images.device, ("features",), compute)
    return Features(kept["features"], kept.get("probabilities"))


def kept(
    what: str, names: Sequence[str], real: Sequence[Tensor], compute: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Return what `compute` returns, tensors called `names` that depend on `real` images, or their features, alone.

    Kept in the cache by `what` it is, with its version, by their content and by what rounding depends on.
    """
    device = real[0].device
    digest = hashlib.sha256(f"{what} {device.type} {torch.get_num_threads()}".encode())
    for each in real:
        digest.update(f" {tuple(each.shape)} ".encode())
        digest.update(each.cpu().contiguous().numpy().data)
    return _kept(digest.hexdigest(), device, names, compute)


def _kept(
    key: str, device: torch.device, names: Sequence[str], compute: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Read the tensors from the cache; compute and write them where there is no file, or one that cannot be read."""
    path = cache_folder("features") / f"{key}.safetensors"
    try:
        found: dict[str, Tensor] = load_file(path, device=str(device))
        if found.keys() >= set(names):
            return found
    except (OSError, SafetensorError):
        pass
    found = compute()
    content = save({name: tensor.cpu().contiguous() for name, tensor in found.items()})
    atomic_write(path, lambda stream: stream.write(content))
    return found
