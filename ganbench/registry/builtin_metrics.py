"""The built-in metrics: each computes a score from a `MetricContext`. torch is imported when one is computed."""

from __future__ import annotations

import math
import statistics
from functools import partial
from typing import TYPE_CHECKING, Any

from ganbench.metric import HEADLINE, LACKING, Metric, Score

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.scoring.metric_context import MetricContext

_IS, _KID = "arXiv:1606.03498", "arXiv:1801.01401"
_PR, _DC = "arXiv:1904.06991", "arXiv:2002.09797"
_MODES = "arXiv:1712.04086"
_CAS, _GAN_TEST = "arXiv:1905.10887", "arXiv:1807.09499"

LEAST_BITS = -7
"""Bits per dimension that no density over images of 256 levels falls below."""


def _fid(context: MetricContext) -> Score:
    frechet = context.real.frechet
    value = frechet.distance(context.features)
    return Score(value=value, se=frechet.jackknife(context.features) if context.final else None)


def _fid_infinity(context: MetricContext) -> float:
    from ganbench.metrics import frechet_distance_infinity

    return frechet_distance_infinity(context.reference, context.features)


def _fid_classes(context: MetricContext) -> Score:
    from ganbench.metrics import per_class_frechet_distance

    real_labels, labels = context.both_labels
    found = per_class_frechet_distance(context.reference, real_labels, context.features, labels)
    return Score(value=statistics.fmean(found.values()), details={"by_class": list(found.values())})


def _is(context: MetricContext) -> Score:
    from ganbench.metrics import inception_score

    assert context.probabilities is not None
    splits = 10
    value, sd = inception_score(context.probabilities, splits=splits)
    # Splits are disjoint, so their spread gives the error of their mean. (A jackknife would move rows between them.)
    return Score(value=value, sd=sd, se=sd / math.sqrt(splits - 1))


def _kid_subsets(context: MetricContext) -> Score:
    from ganbench.metrics import kernel_distance

    size = min(1000, len(context.reference), len(context))
    value, sd = kernel_distance(context.reference, context.features, subset_size=size)
    return Score(value=value, sd=sd, details={"subsets": 100, "subset_size": size, "seed": 0})


def _mmd_rbf(context: MetricContext) -> float:
    from ganbench.metrics import rbf_kernel_distance

    return rbf_kernel_distance(context.reference, context.features)


def _pairs(part: str, context: MetricContext) -> float:
    return float(getattr(context.pairs, part))


def _authenticity(context: MetricContext) -> float:
    return context.real.originals.authenticity(context.features)


def _copying(context: MetricContext) -> float:
    return context.real.copying.score(context.features)


def _near_copies(part: str, context: MetricContext) -> Score:
    from ganbench.metrics.duplicates import LEAST_UNSEEN

    assert context.real.images is not None
    if len(context.real.images) < LEAST_UNSEEN:
        raise ValueError(f"{LACKING}{LEAST_UNSEEN} reference images")
    found = getattr(context.real, part)
    return Score(value=found.share(context.images), details={"threshold": found.threshold})


def _spectrum(context: MetricContext) -> float:
    from ganbench.metrics import spectral_distance

    assert context.real.images is not None
    return spectral_distance(context.real.images, context.images)


def _vendi(context: MetricContext) -> float:
    from ganbench.metrics import vendi_score

    return vendi_score(context.features)


def _mode_kl(context: MetricContext) -> Score:
    counts = context.mode_counts
    details = {"by_mode": list(counts.high_quality), "of_high_quality": counts.divergence_of_high_quality}
    return Score(value=counts.divergence, details=details)


def _modes(part: str, context: MetricContext) -> float:
    return float(getattr(context.mode_counts, part))


def _bits_per_dim(context: MetricContext) -> Score:
    assert context.log_likelihood is not None
    bits = -context.log_likelihood.double()
    _check_bits(float(bits.min()), float(bits.mean()), context.real.images)
    return Score(
        value=float(bits.mean()), se=float(bits.std() / math.sqrt(len(bits))), details={"reference_images": len(bits)}
    )


def _check_bits(least: float, mean: float, images: Tensor | None) -> None:
    """Raise ValueError where bits per dimension are too low to be those of a distribution over uint8 images.

    A probability is at most 1, so bits are at least 0 where they are of discrete images. Data of two values are such;
    256 levels may also be modelled by a density on [0, 1], of which dequantised images can have at most 256 a
    dimension: 8 bits, less 1 for a density on [-1, 1].
    """
    import torch

    if images is None or images.dtype != torch.uint8:
        return
    if _two_values(images):
        if least < -1e-6:  # rounding of a probability of 1
            raise ValueError(
                f"log_likelihood is above 0 ({-least:.4g} bits per dimension): images of two values have a "
                "probability, which is at most 1"
            )
    elif mean < LEAST_BITS:
        raise ValueError(
            f"{mean:.4g} bits per dimension: below {LEAST_BITS:g} is impossible for 256 levels; "
            "log_likelihood is in bits per dimension, not in nats or summed over pixels"
        )


def _two_values(images: Tensor) -> bool:
    low, high = images.aminmax()
    return bool(((images == low) | (images == high)).all())


def _nats(context: MetricContext) -> Score:
    bits, scale = _bits_per_dim(context), math.log(2) * context.images[0].numel()
    assert bits.se is not None
    return bits.model_copy(update={"value": bits.value * scale, "se": bits.se * scale})


def _cas(context: MetricContext) -> Score:
    import torch

    _, labels = context.both_labels
    details = dict[str, Any]()
    if context.classifier is not None and context.classifier.random_labels:
        # The same images with shuffled labels: a classifier learns how often each class occurs and nothing else.
        shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).to(labels.device)]
        details["random_labels"] = _accuracies(context, context.train_classifiers(shuffled, count=1))[0]
    return _accuracy(context, context.train_classifiers(labels), **details)


def _cas_oracle(context: MetricContext) -> Score:
    assert context.probabilities is not None
    classes = context.oracle_classes
    return _accuracy(
        context, context.train_classifiers(classes),
        samples_by_class=classes.bincount(minlength=context.real.classes).tolist(),
        mean_confidence=float(context.probabilities.amax(1).mean()),
    )  # fmt: skip


def _accuracy(context: MetricContext, predicted: list[Tensor], **details: Any) -> Score:
    """Return the mean accuracy of classifiers on the reference images, and each class's."""
    from ganbench.metrics.downstream_classifier import accuracy_by_class

    by_seed = _accuracies(context, predicted)
    labels, classes = context.real.labels, context.real.classes
    assert labels is not None
    by_class = zip(*(accuracy_by_class(each, labels, classes) for each in predicted), strict=True)
    return Score(
        value=statistics.fmean(by_seed),
        sd=statistics.stdev(by_seed) if len(by_seed) > 1 else None,
        details={
            "by_seed": by_seed,
            "by_class": [None if None in each else statistics.fmean(each) for each in by_class],
        }
        | details,
    )


def _accuracies(context: MetricContext, predicted: list[Tensor]) -> list[float]:
    labels = context.real.labels
    assert labels is not None
    return [float((each == labels).double().mean()) for each in predicted]


def _gan_test(context: MetricContext) -> Score:
    from ganbench.metrics.downstream_classifier import accuracy_by_class

    _, labels = context.both_labels
    seen = context.oracle_classes
    by_class = accuracy_by_class(seen, labels, context.real.classes)
    return Score(value=float((seen == labels).double().mean()), details={"by_class": by_class})


def _metric(name: str, title: str, direction: Any, bounds: tuple[float | None, float | None], digits: int, meaning: str,
            source: str, needs: str, compute: Any, version: int = 1) -> Metric:  # fmt: skip
    low, high = bounds
    return Metric(
        name=name, title=title, direction=direction, low=low, high=high, digits=digits, version=version,
        meaning=meaning, source=source, needs=tuple(needs.split()), compute=compute,
    )  # fmt: skip


_POSITIVE, _SHARE, _ANY = (0, None), (0, 1), (None, None)

METRICS = (
    Metric(**HEADLINE.model_dump(), needs=("moments",), compute=_fid),
    _metric("is", "IS", "higher", (1, None), 2,
            "Inception Score from the extractor's classes", _IS, "probabilities", _is),
    _metric("precision", "P", "higher", _SHARE, 3,
            "share of samples near real ones; read it with R and C", _PR, "reference", partial(_pairs, "precision")),
    _metric("recall", "R", "higher", _SHARE, 3,
            "share of real images near samples", _PR, "reference", partial(_pairs, "recall")),
    _metric("density", "D", "higher", _POSITIVE, 3,
            "how crowded real neighbourhoods are; 1 for real", _DC, "reference", partial(_pairs, "density")),
    _metric("coverage", "C", "higher", _SHARE, 3,
            "share of real neighbourhoods that hold a sample", _DC, "reference", partial(_pairs, "coverage")),
    _metric("kid", "KID", "lower", _ANY, 3,
            "squared kernel distance of features from all pairs; unbiased, so it may fall below 0", _KID,
            "reference", partial(_pairs, "kid_exact")),
    _metric("authenticity", "Auth", "higher", _SHARE, 3,
            "share of samples that are not near-copies of training images; near 0 means copying", "arXiv:2102.08921",
            "train", _authenticity),
    _metric("copying", "C_T", "neither", _ANY, 1,
            "distance of samples to training images compared with that of unseen real ones, in standard deviations: "
            "far below 0 means copying, far above 0 means unlike the data", "arXiv:2004.05675",
            "train reference final", _copying),
    _metric("cas", "CAS", "higher", _SHARE, 3,
            "classification accuracy score: a classifier trained on labelled samples, tested on real images "
            "(conditional models)", _CAS, "labels classifier final", _cas, version=3),
    _metric("gan_test", "GAN-test", "higher", _SHARE, 3,
            "share of samples that the frozen extractor assigns to the class asked for (conditional models)", _GAN_TEST,
            "labels oracle", _gan_test),
    _metric("cas_oracle", "CAS*", "neither", _SHARE, 3,
            "as CAS, with labels from the frozen extractor, whose knowledge leaks in: never ranks", _CAS,
            "oracle classifier final", _cas_oracle, version=3),
    _metric("duplicates", "Dup", "neither", _SHARE, 3,
            "share of samples that are nearer to one training image than 99 of 100 unseen real images are, however "
            "shifted or mirrored: 0.01 for real, 1 for copies", "arXiv:2310.02664", "train reference images final",
            partial(_near_copies, "duplicates")),
    _metric("leaks", "Leak", "neither", _SHARE, 3,
            "share of samples that are nearer to one reference image than 99 of 100 reference images are to another: "
            "0.01 for real; more where a model has seen the reference", "arXiv:2310.02664", "reference images final",
            partial(_near_copies, "leaks")),
    _metric("spectrum", "Spec", "lower", _POSITIVE, 2,
            "largest difference of the mean power spectrum of pixels from that of real images, in decades: blur and "
            "noise have much", "arXiv:2003.01826", "reference images final", _spectrum),
    _metric("fid_infinity", "FID∞", "lower", _ANY, 1,
            "FID extrapolated to infinitely many samples", "arXiv:1911.07023", "reference", _fid_infinity),
    _metric("fid_classes", "FID/class", "lower", _POSITIVE, 1,
            "mean over classes of the FID within a class (conditional models); fewer rows, larger bias",
            HEADLINE.source, "reference labels", _fid_classes),
    _metric("kid_subsets", "KID (subsets)", "lower", _ANY, 3,
            "KID as the literature computes it: mean over 100 subsets of 1,000", _KID, "reference", _kid_subsets),
    _metric("mmd_rbf", "MMD", "lower", _ANY, 4,
            "squared kernel distance with a Gaussian kernel, sigma 10; CMMD / 1000 on CLIP's embeddings",
            "arXiv:2401.09603", "reference", _mmd_rbf),
    _metric("vendi", "Vendi", "neither", (1, None), 2,
            "effective number of different samples: measures diversity, not quality; compare with real",
            "arXiv:2210.02410", "", _vendi),
    _metric("nats", "NLL", "lower", _ANY, 2,
            "upper bound of -log p(x) of reference images in nats (models that give one)", "arXiv:1509.00519",
            "likelihood final", _nats),
    _metric("bits_per_dim", "bits/dim", "lower", _ANY, 4,
            "the same in bits per dimension", "arXiv:1509.00519", "likelihood final", _bits_per_dim),
    _metric("mode_kl", "mode KL", "lower", _POSITIVE, 3,
            "KL(samples || truth) in nats over the modes and one cell for samples far from all: 0 for real", _MODES,
            "modes", _mode_kl),
    _metric("modes", "modes", "higher", _POSITIVE, 1,
            "modes with at least 8 % of their fair share of the samples, of high quality", "arXiv:1705.07761", "modes",
            partial(_modes, "captured"), version=2),
    _metric("high_quality", "HQ", "higher", _SHARE, 3,
            "share of samples within three standard deviations of the nearest mode; 0.989 for real", "arXiv:1705.07761",
            "modes", partial(_modes, "high_quality_share")),
)  # fmt: skip
"""The standard metrics in the order of `ganbench.metric.STANDARD`, then those to be asked for with ``--metrics``."""
