"""A whole pass through Inception gives torch-fidelity's numbers for the same two folders.

With random weights, as the published ones are not to be had offline: what is compared is everything around them (order
of files, resizing, scaling, which layers, how the scores follow), which is the same for any weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch_fidelity import calculate_metrics
from torch_fidelity import feature_extractor_inceptionv3 as inception

from ganbench.extractors import torch_fidelity as fidelity
from ganbench.extractors.base import Features
from ganbench.metrics import frechet_distance, inception_score, kernel_distance, precision_recall
from ganbench.scoring import features
from ganbench.scoring.external.images import read_images

CPU = torch.device("cpu")
NAME = "inception-v3-compat"
SOURCE = next(source for source in fidelity.FIDELITY if source.name == NAME)
IMAGES = 8
"""In each set. Inception is slow on a CPU; fewer images than features are no special case (test_oracles.py)."""


def blobs(n: int, seed: int, contrast: float) -> np.ndarray:
    """Smooth random colours, uint8 (n, 32, 32, 3): noise would look alike to any network that averages over places."""
    coarse = torch.from_numpy(np.random.default_rng(seed).random((n, 3, 4, 4)))
    smooth = nn.functional.interpolate(coarse, size=32, mode="bicubic")
    return (255 * (contrast * smooth).clamp(0, 1)).round().byte().permute(0, 2, 3, 1).numpy()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights under which images keep apart.

    PyTorch's own shrink activations layer by layer to 1e-8. Here the convolutions keep the variance, batch norms have
    the statistics of some images, and the head is enlarged until classes are told apart; its bias is large too, so that
    logits with it would give another inception score.
    """
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    kind = inception.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
        patch.setattr(kind, "load_state_dict", lambda self, state: None)
        patch.setattr(inception, "load_state_dict_from_url", lambda *words, **options: {})
        torch.manual_seed(0)
        network = kind(NAME, ["2048"])
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the statistics of what follows, whole
        nn.init.normal_(network.fc.weight, std=0.1)
        nn.init.normal_(network.fc.bias)
    with torch.no_grad():
        network.train()(torch.from_numpy(blobs(4, 9, 1.0)).permute(0, 3, 1, 2))
    torch.save(network.state_dict(), path)
    yield path
    fidelity._network.cache_clear()
    path.unlink()


class Sets(NamedTuple):
    """Two folders of PNG files and what our pass makes of them."""

    folders: dict[str, Path]
    features: dict[str, Features]


@pytest.fixture(scope="module")
def sets(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Sets:
    folders, found, extractor = {}, {}, SOURCE.load(CPU, weights)
    for name, seed, contrast in (("real", 0, 1.0), ("fake", 1, 1.3)):
        folders[name] = tmp_path_factory.mktemp(name)
        for index, image in enumerate(blobs(IMAGES, seed, contrast)):
            Image.fromarray(image).save(folders[name] / f"{index:03d}.png")
        found[name] = features.extract(extractor, torch.from_numpy(read_images(folders[name]).pixels))
    return Sets(folders, found)


def test_images_keep_apart(sets: Sets) -> None:
    """Else what follows would compare zeros."""
    for found in sets.features.values():
        spread = found.features.std(dim=0)
        assert spread.min() > 0
        assert spread.median() > 0.01 * found.features.abs().max()
        assert 1.2 < inception_score(found.probabilities, splits=1)[0] < IMAGES / 2


def test_equals_torch_fidelity(sets: Sets, weights: Path) -> None:
    """Relative 1e-5, the deviation of IS relative to the score itself, as it is one score less another.

    Measured 3e-7. Float32 sums, hence features, depend on the size of a batch and on the CPU; torch-fidelity goes on in
    float32 for the means of FID and for KID.
    """
    theirs = calculate_metrics(
        input1=str(sets.folders["fake"]), input2=str(sets.folders["real"]), feature_extractor=NAME,
        feature_extractor_weights_path=str(weights), isc=True, fid=True, kid=True, prc=True, isc_splits=3,
        kid_subsets=5, kid_subset_size=6, prc_neighborhood=3, samples_shuffle=True, rng_seed=2020, batch_size=5,
        cuda=False, save_cpu_ram=True, cache=False, verbose=False,
    )  # fmt: skip
    real, fake = (sets.features[name].features for name in ("real", "fake"))
    precision, recall = precision_recall(real, fake)
    kid, kid_sd = kernel_distance(real, fake, subsets=5, subset_size=6, seed=2020)
    score, score_sd = inception_score(sets.features["fake"].probabilities, splits=3)
    assert score_sd == pytest.approx(theirs.pop("inception_score_std"), rel=0, abs=1e-5 * score)
    assert {
        "inception_score_mean": score,
        "frechet_inception_distance": frechet_distance(real, fake),
        "kernel_inception_distance_mean": kid, "kernel_inception_distance_std": kid_sd,
        "precision": precision, "recall": recall, "f_score": 2 * precision * recall / (precision + recall),
    } == pytest.approx(theirs, rel=1e-5)  # fmt: skip


def test_batch_size(sets: Sets, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known answer 27. 1e-5 of the largest feature: float32 sums in another order, through some 90 layers."""
    whole = sets.features["fake"]
    monkeypatch.setattr(features, "CHUNK", 5)
    some = torch.from_numpy(read_images(sets.folders["fake"]).pixels[:6])  # a batch of 5 and one of 1
    parts = features.extract(SOURCE.load(CPU, weights), some)
    limit = 1e-5 * float(whole.features.abs().max())
    torch.testing.assert_close(parts.features, whole.features[:6], rtol=0, atol=limit)
    torch.testing.assert_close(parts.probabilities, whole.probabilities[:6], rtol=0, atol=1e-5)
