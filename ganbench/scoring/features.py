"""Images to features in one pass, and a cache of the features of real images."""

from __future__ import annotations

import hashlib

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

    They stay on the extractor's device, and so do the metrics that are computed from them.
    """
    parts = [extractor(chunk) for chunk in images.split(CHUNK)]
    features = torch.cat([part.features for part in parts])
    if parts[0].probabilities is None:
        return Features(features, None)
    return Features(features, torch.cat([part.probabilities for part in parts if part.probabilities is not None]))


def extract_real(extractor: Extractor, identity: str, images: Tensor) -> Features:
    """Do the same for real images: kept in the cache by content of images and `identity` of extractor.

    Returned on the images' device. A cache file that cannot be read is written again.
    """
    digest = hashlib.sha256(f"{identity} {tuple(images.shape)} ".encode())
    digest.update(images.cpu().contiguous().numpy().data)
    path = cache_folder("features") / f"{digest.hexdigest()}.safetensors"
    try:
        kept = load_file(path, device=str(images.device))
        return Features(kept["features"], kept.get("probabilities"))
    except (OSError, SafetensorError, KeyError):
        found = extract(extractor, images)
        tensors = {"features": found.features.cpu().contiguous()}
        if found.probabilities is not None:
            tensors["probabilities"] = found.probabilities.cpu().contiguous()
        atomic_write(path, lambda stream: stream.write(save(tensors)))
        return found
