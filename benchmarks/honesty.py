"""What each metric says of samples whose fault is known: ``python benchmarks/honesty.py`` writes the tables in docs.

Images that no model trained on are damaged in one way each and scored as a track scores a model: digits of `mnist5k` as
`mnist5k-quick` (1,000, by the bundled LeNet; nothing is downloaded), or with ``--track cifar10-quick`` photographs of
CIFAR-10 (2,000, by EfficientNet-Lite0). The seed is fixed. What comes with labels keeps them, as a conditional model's
samples would.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ganbench.data.dataset import Dataset
from ganbench.data.pixels import to_uint8
from ganbench.registry.builtins import built_in
from ganbench.registry.lookup import find_metrics, find_track, load_dataset
from ganbench.scoring.evaluator import EvaluationResult, Evaluator
from ganbench.scoring.metric_context import Classifier

DOCS = Path(__file__).parents[1] / "docs" / "metrics.md"
EXTRA = ("vendi",)
CAT = 3
"""A class of CIFAR-10."""


class Samples(NamedTuple):
    """Images uint8 (n, C, H, W), and the labels they are given out with, or None."""

    images: Tensor
    labels: Tensor | None


class Source:
    """The first `n` held-out images, training images, and one stream of random numbers."""

    def __init__(self, dataset: Dataset, n: int) -> None:
        self.validation = Samples(
            *(torch.from_numpy(part[:n]) for part in (dataset.validation.images, dataset.validation.labels))
        )
        self.train = Samples(*(torch.from_numpy(part) for part in (dataset.train.images, dataset.train.labels)))
        self.n = n
        self.random = torch.Generator().manual_seed(0)

    def drawn(self, chosen: Tensor) -> Samples:
        """n of the held-out images that are `chosen`, as often as it takes."""
        at = torch.arange(self.n)[chosen].repeat(self.n)[: self.n]
        return Samples(self.validation.images[at], self.validation.labels[at])


def noise(source: Source) -> Samples:
    images = torch.randint(0, 256, source.validation.images.shape, dtype=torch.uint8, generator=source.random)
    return Samples(images, source.validation.labels)


def grain(source: Source) -> Samples:
    images, labels = source.validation
    noisy = images + 60 * torch.randn(images.shape, generator=source.random)
    return Samples(noisy.clamp(0, 255).round().to(torch.uint8), labels)


def blur(source: Source) -> Samples:
    images, labels = source.validation
    return Samples(F.avg_pool2d(images.float(), 3, stride=1, padding=1).round().to(torch.uint8), labels)


def jpeg(source: Source) -> Samples:
    images, labels = source.validation
    return Samples(torch.stack([_through_jpeg(image) for image in images]), labels)


def _through_jpeg(image: Tensor) -> Tensor:
    stream = io.BytesIO()
    pixels = image.permute(1, 2, 0).numpy()
    Image.fromarray(pixels if len(image) == 3 else pixels[..., 0]).save(stream, "JPEG", quality=10)
    return torch.from_numpy(np.atleast_3d(np.array(Image.open(stream)))).permute(2, 0, 1)


def no_nines(source: Source) -> Samples:
    return source.drawn(source.validation.labels != 9)


def no_cats(source: Source) -> Samples:
    return source.drawn(source.validation.labels != CAT)


def only_cats(source: Source) -> Samples:
    return source.drawn(source.validation.labels == CAT)


def only_ones(source: Source) -> Samples:
    return source.drawn(source.validation.labels == 1)


def hundred(source: Source) -> Samples:
    at = torch.arange(100).repeat(source.n // 100)
    return Samples(source.train.images[at], source.train.labels[at])


def replay(source: Source) -> Samples:
    at = torch.randperm(len(source.train.images), generator=source.random)[: source.n]
    return Samples(source.train.images[at], source.train.labels[at])


def gaussian(source: Source) -> Samples:
    """A Gaussian in the space of the 64 principal components of the training pixels."""
    pixels = source.train.images.flatten(1).double() / 127.5 - 1
    mean = pixels.mean(dim=0)
    _, scales, directions = torch.linalg.svd(pixels - mean, full_matrices=False)
    spread = scales[:64] / (len(pixels) - 1) ** 0.5
    drawn = torch.randn(source.n, 64, generator=source.random, dtype=torch.float64) * spread
    return Samples(to_uint8((mean + drawn @ directions[:64]).reshape(-1, 1, 28, 28)), None)


def wrong_labels(source: Source) -> Samples:
    images, labels = source.validation
    wrong = torch.rand(source.n, generator=source.random) < 0.1
    moved = (labels + torch.randint(1, 10, labels.shape, generator=source.random)) % 10
    return Samples(images, torch.where(wrong, moved, labels))


DIGITS: dict[str, Callable[[Source], Samples]] = {
    "real, unseen": lambda source: source.validation,
    "uniform noise": noise,
    "grain (sd 60 of 255)": grain,
    "blur (3x3 mean)": blur,
    "JPEG, quality 10": jpeg,
    "no nines": no_nines,
    "only ones (100, 10 times each)": only_ones,
    "100 training images, 10 times each": hundred,
    "`replay`: 1,000 training images": replay,
    "Gaussian in 64 principal components": gaussian,
    "10 % wrong labels": wrong_labels,
}
PHOTOGRAPHS: dict[str, Callable[[Source], Samples]] = {
    "real, unseen": lambda source: source.validation,
    "uniform noise": noise,
    "grain (sd 60 of 255)": grain,
    "blur (3x3 mean)": blur,
    "JPEG, quality 10": jpeg,
    "no cats": no_cats,
    "only cats": only_cats,
    "`replay`: 2,000 training images": replay,
}
FAULTS = {"mnist5k-quick": DIGITS, "cifar10-quick": PHOTOGRAPHS}


def table(
    results: dict[str, EvaluationResult], names: list[str], titles: dict[str, str], digits: dict[str, int]
) -> str:
    lines = ["| samples | " + " | ".join(titles[name] for name in names) + " |"]
    lines.append("| --- |" + " ---: |" * len(names))
    for fault, result in results.items():
        cells = [f"{result.scores[name].value:.{digits[name]}f}" if name in result.scores else "–" for name in names]
        if (error := result.scores["fid"].se) is not None:
            cells[names.index("fid")] += f" ± {error:.{digits['fid']}f}"
        lines.append(f"| {fault} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--track", choices=FAULTS, default="mnist5k-quick")
    parser.add_argument("--metrics", help="these alone, joined by commas")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCS.name} between its marks")
    arguments = parser.parse_args()
    registry, device = built_in(), torch.device("cpu")
    track = find_track(arguments.track, registry)
    dataset = load_dataset(track.dataset, registry, arguments.data_dir)
    found = registry.get("extractors", track.extractor).thing
    names = arguments.metrics.split(",") if arguments.metrics else (*track.metrics, *EXTRA)
    metrics = find_metrics(names, registry)
    oracle = found.classes == dataset.classes
    evaluator = Evaluator(
        dataset, found.load(device, None), found.identity(None), metrics, oracle=oracle, device=device
    )
    classifier, source = Classifier(track.classifier_steps, 0, track.classifier_seeds), Source(dataset, track.samples)
    results = {
        name: evaluator.score(*fault(source), classifier=classifier) for name, fault in FAULTS[track.name].items()
    }
    metrics = [metric for metric in metrics if any(metric.name in result.scores for result in results.values())]
    text = table(
        results, [metric.name for metric in metrics], {metric.name: metric.title + metric.arrow for metric in metrics},
        {metric.name: metric.digits for metric in metrics},
    )  # fmt: skip
    print(text)
    if arguments.write:
        begin, end = (f"<!-- {mark}honesty {track.name} -->" for mark in ("", "/"))
        before, _, rest = DOCS.read_text().partition(begin)
        _, _, after = rest.partition(end)
        DOCS.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")


if __name__ == "__main__":
    main()
