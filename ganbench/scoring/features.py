"""Images to features in one pass, and the features of real images kept between trials."""

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
    """Return the features of uint8 images (N, C, H, W), or of points (N, D), on the CPU, from one pass in chunks."""
    parts = [extractor(chunk) for chunk in images.split(CHUNK)]
    features = torch.cat([part.features.cpu() for part in parts])
    if parts[0].probabilities is None:
        return Features(features, None)
    return Features(features, torch.cat([part.probabilities.cpu() for part in parts if part.probabilities is not None]))


def extract_real(extractor: Extractor, identity: str, images: Tensor) -> Features:
    """Do the same for images that never change: kept in the cache by content of images and `identity` of extractor.

    A cache file that cannot be read is made again.
    """
    digest = hashlib.sha256(f"{identity} {tuple(images.shape)} ".encode())
    digest.update(images.cpu().contiguous().numpy().data)
    path = cache_folder("features") / f"{digest.hexdigest()}.safetensors"
    try:
        kept = load_file(path)
        return Features(kept["features"], kept.get("probabilities"))
    except (OSError, SafetensorError, KeyError):
        found = extract(extractor, images)
        tensors = {"features": found.features.contiguous()}
        if found.probabilities is not None:
            tensors["probabilities"] = found.probabilities.contiguous()
        atomic_write(path, lambda stream: stream.write(save(tensors)))
        return found
