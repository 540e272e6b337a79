"""The metrics that ganbench registers, a few lines each over the evidence. torch is imported when one is computed."""

from __future__ import annotations

import math
import statistics
from functools import partial
from typing import TYPE_CHECKING, Any

from ganbench.metric import HEADLINE, Metric, Score

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.scoring.metric_context import MetricContext

_IS, _KID = "arXiv:1606.03498", "arXiv:1801.01401"
_PR, _DC = "arXiv:1904.06991", "arXiv:2002.09797"
_MODES = "arXiv:1712.04086"
_CAS, _GAN_TEST = "arXiv:1905.10887", "arXiv:1807.09499"


def _fid(evidence: MetricContext) -> Score:
    frechet = evidence.real.frechet
    value = frechet.distance(evidence.features)
    return Score(value=value, se=frechet.jackknife(evidence.features) if evidence.final else None)


def _fid_infinity(evidence: MetricContext) -> float:
    from ganbench.metrics import frechet_distance_infinity

    return frechet_distance_infinity(evidence.reference, evidence.features)


def _fid_classes(evidence: MetricContext) -> Score:
    from ganbench.metrics import per_class_frechet_distance

    real_labels, labels = evidence.both_labels
    found = per_class_frechet_distance(evidence.reference, real_labels, evidence.features, labels)
    return Score(value=statistics.fmean(found.values()), details={"by_class": list(found.values())})


def _is(evidence: MetricContext) -> Score:
    from ganbench.metrics import inception_score

    assert evidence.probabilities is not None
    splits = 10
    value, sd = inception_score(evidence.probabilities, splits=splits)
    # Splits are disjoint: their spread tells the error of their mean. (A jackknife would shuffle rows between them.)
    return Score(value=value, sd=sd, se=sd / math.sqrt(splits - 1))


def _kid_subsets(evidence: MetricContext) -> Score:
    from ganbench.metrics import kernel_distance

    size = min(1000, len(evidence.reference), len(evidence))
    value, sd = kernel_distance(evidence.reference, evidence.features, subset_size=size)
    return Score(value=value, sd=sd, details={"subsets": 100, "subset_size": size, "seed": 0})


def _mmd_rbf(evidence: MetricContext) -> float:
    from ganbench.metrics import rbf_kernel_distance

    return rbf_kernel_distance(evidence.reference, evidence.features)


def _pairs(part: str, evidence: MetricContext) -> float:
    return float(getattr(evidence.pairs, part))


def _authenticity(evidence: MetricContext) -> float:
    return evidence.real.originals.authenticity(evidence.features)


def _copying(evidence: MetricContext) -> float:
    from ganbench.metrics import data_copying

    assert evidence.real.train is not None
    return data_copying(evidence.real.train, evidence.reference, evidence.features)


def _vendi(evidence: MetricContext) -> float:
    from ganbench.metrics import vendi_score

    return vendi_score(evidence.features)


def _mode_kl(evidence: MetricContext) -> Score:
    caught = evidence.caught
    details = {"by_mode": list(caught.good), "of_good": caught.divergence_of_good}
    return Score(value=caught.divergence, details=details)


def _modes(part: str, evidence: MetricContext) -> float:
    return float(getattr(evidence.caught, part))


def _bits_per_dim(evidence: MetricContext) -> Score:
    assert evidence.log_likelihood is not None
    bits = -evidence.log_likelihood.double()
    return Score(
        value=float(bits.mean()), se=float(bits.std() / math.sqrt(len(bits))), details={"reference_images": len(bits)}
    )


def _nats(evidence: MetricContext) -> Score:
    bits, scale = _bits_per_dim(evidence), math.log(2) * evidence.images[0].numel()
    assert bits.se is not None
    return bits.model_copy(update={"value": bits.value * scale, "se": bits.se * scale})


def _acc(evidence: MetricContext) -> Score:
    import torch

    _, labels = evidence.both_labels
    # The floor: the same images, each with the label of another. It teaches how often a class occurs and no more.
    shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).to(labels.device)]
    floor = evidence.taught(shuffled, count=1)
    return _accuracy(evidence, evidence.taught(labels), random_labels=_shares(evidence, floor)[0])


def _acc_oracle(evidence: MetricContext) -> Score:
    assert evidence.probabilities is not None
    classes = evidence.oracle_classes
    return _accuracy(
        evidence, evidence.taught(classes),
        samples_by_class=classes.bincount(minlength=evidence.real.classes).tolist(),
        mean_confidence=float(evidence.probabilities.amax(1).mean()),
    )  # fmt: skip


def _accuracy(evidence: MetricContext, predicted: list[Tensor], **details: Any) -> Score:
    """Return the mean accuracy of classifiers on the reference images, and each class's."""
    from ganbench.metrics.downstream_classifier import accuracy_by_class

    shares = _shares(evidence, predicted)
    labels, classes = evidence.real.labels, evidence.real.classes
    assert labels is not None
    by_class = zip(*(accuracy_by_class(each, labels, classes) for each in predicted), strict=True)
    return Score(
        value=statistics.fmean(shares),
        sd=statistics.stdev(shares) if len(shares) > 1 else None,
        details={"by_seed": shares, "by_class": [None if None in each else statistics.fmean(each) for each in by_class]}
        | details,
    )


def _shares(evidence: MetricContext, predicted: list[Tensor]) -> list[float]:
    labels = evidence.real.labels
    assert labels is not None
    return [float((each == labels).double().mean()) for each in predicted]


def _gan_test(evidence: MetricContext) -> Score:
    from ganbench.metrics.downstream_classifier import accuracy_by_class

    _, labels = evidence.both_labels
    seen = evidence.oracle_classes
    by_class = accuracy_by_class(seen, labels, evidence.real.classes)
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
            "share of samples that are no near-copies of training images; near 0 is copying", "arXiv:2102.08921",
            "train", _authenticity),
    _metric("copying", "C_T", "neither", _ANY, 1,
            "how far samples lie from training images beside unseen real ones, in deviations: far below 0 is copying, "
            "far above 0 is off the data", "arXiv:2004.05675", "train reference final", _copying),
    _metric("acc", "acc", "higher", _SHARE, 3,
            "classifier trained on labelled samples, tested on real images (conditional models)", _CAS,
            "labels classifier final", _acc, version=2),
    _metric("gan_test", "GAN-test", "higher", _SHARE, 3,
            "share of samples in which the frozen extractor sees the class asked for (conditional models)", _GAN_TEST,
            "labels oracle", _gan_test),
    _metric("acc_oracle", "acc*", "neither", _SHARE, 3,
            "as acc, with labels from the frozen extractor, whose knowledge leaks in: never ranks", _CAS,
            "oracle classifier final", _acc_oracle, version=2),
    _metric("fid_infinity", "FID∞", "lower", _ANY, 1,
            "FID extrapolated to endless samples", "arXiv:1911.07023", "reference", _fid_infinity),
    _metric("fid_classes", "FID/class", "lower", _POSITIVE, 1,
            "mean over classes of the FID within a class (conditional models); fewer rows, larger bias",
            HEADLINE.source, "reference labels", _fid_classes),
    _metric("kid_subsets", "KID (subsets)", "lower", _ANY, 3,
            "KID as the literature computes it: mean over 100 subsets of 1,000", _KID, "reference", _kid_subsets),
    _metric("mmd_rbf", "MMD", "lower", _ANY, 4,
            "squared kernel distance with a Gaussian kernel, sigma 10; CMMD / 1000 on CLIP's embeddings",
            "arXiv:2401.09603", "reference", _mmd_rbf),
    _metric("vendi", "Vendi", "neither", (1, None), 2,
            "how many different samples these are worth: diverse, not good; compare with real", "arXiv:2210.02410",
            "", _vendi),
    _metric("nats", "NLL", "lower", _ANY, 2,
            "upper bound of -log p(x) of reference images in nats (models that give one)", "arXiv:1509.00519",
            "likelihood final", _nats),
    _metric("bits_per_dim", "bits/dim", "lower", _ANY, 4,
            "the same in bits per dimension", "arXiv:1509.00519", "likelihood final", _bits_per_dim),
    _metric("mode_kl", "mode KL", "lower", _POSITIVE, 3,
            "KL(samples || truth) in nats over the modes and one cell for what is not good: 0 is even and good", _MODES,
            "modes", _mode_kl),
    _metric("modes", "modes", "higher", _POSITIVE, 1,
            "modes that at least one good sample is nearest to", "arXiv:1705.07761", "modes",
            partial(_modes, "caught")),
    _metric("good", "good", "higher", _SHARE, 3,
            "share of samples within three standard deviations of the nearest mode; 0.989 for real", "arXiv:1705.07761",
            "modes", partial(_modes, "good_share")),
)  # fmt: skip
"""What `ganbench.metric.STANDARD` names, then what can be asked for with ``--metrics``."""
