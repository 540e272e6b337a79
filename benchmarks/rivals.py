"""What `metrics.py` measures: the inputs, our metrics, and those of other packages on the same tensors."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from ganbench.metrics import (
    PairReference,
    Subsets,
    authenticity,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from ganbench.metrics.data_copying import data_copying
from ganbench.metrics.fid_infinity import frechet_distance_infinity
from ganbench.metrics.mmd import kernel_distance_exact, rbf_kernel_distance
from ganbench.metrics.moments import Moments
from ganbench.metrics.vendi import vendi_score

try:
    from pytorch_fid.fid_score import calculate_frechet_distance
except ImportError:
    calculate_frechet_distance = None


class Inputs(NamedTuple):
    """Features (n, d) of both sets and the fakes' logits, float32."""

    real: torch.Tensor
    fake: torch.Tensor
    logits: torch.Tensor

    def first(self, n: int) -> Inputs:
        return Inputs(*(part[:n].clone() for part in self))


Values = dict[str, float]
Run = Callable[[Inputs], Values]


def make(n: int, d: int) -> Inputs:
    """In chunks, so that making them leaves no peak above the result."""
    generator = torch.Generator().manual_seed(0)
    decay = torch.arange(1, d + 1).pow(-0.5)
    mix = torch.randn(d, d, generator=generator) * decay
    classes = 1008 if d >= 1000 else 10

    def features(shift: float) -> torch.Tensor:
        rows = torch.empty(n, d)
        for part in rows.split(1000):
            noise = torch.randn(len(part), d, generator=generator)
            part.copy_(torch.relu(noise @ mix.T / decay.norm() + 0.3 + shift))
        return rows

    return Inputs(features(0.0), features(0.1), 3 * torch.randn(n, classes, generator=generator))


def subset_size(inputs: Inputs) -> int:
    return min(1000, len(inputs.real))


# Ours.


def our_fid(inputs: Inputs) -> Values:
    return {"fid": frechet_distance(inputs.real, inputs.fake)}


def our_full(inputs: Inputs) -> Values:
    subsets = Subsets(100, subset_size(inputs), 2020)
    found = PairReference(inputs.real).compare(inputs.fake, density=False, subsets=subsets)._asdict()
    score = inception_score(inputs.logits.double().softmax(dim=1))
    return our_fid(inputs) | {"is": score[0]} | {name: found[name] for name in ("kid", "precision", "recall")}


def our_prdc(inputs: Inputs) -> Values:
    found = PairReference(inputs.real, k_manifold=5).compare(inputs.fake)._asdict()
    return {name: found[name] for name in ("precision", "recall", "density", "coverage")}


# Theirs. torch-fidelity's first input is the fake set.


def their_fid(inputs: Inputs) -> Values:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    fake, real = (fid_features_to_statistics(rows) for rows in (inputs.fake, inputs.real))
    return {"fid": fid_statistics_to_metric(fake, real, False)[KEY_METRIC_FID]}


def their_full(inputs: Inputs) -> Values:
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    pair = inputs.fake, inputs.real
    kid = kid_features_to_metric(*pair, kid_subset_size=subset_size(inputs), verbose=False)
    near = prc_features_to_metric(*pair, verbose=False)
    return their_fid(inputs) | {
        "is": isc_features_to_metric(inputs.logits)[KEY_METRIC_ISC_MEAN],
        "kid": kid[KEY_METRIC_KID_MEAN],
        "precision": near[KEY_METRIC_PRECISION],
        "recall": near[KEY_METRIC_RECALL],
    }


def sqrtm_fid(inputs: Inputs) -> Values:
    """pytorch-fid from float64 moments; where it is not installed, its formula: a dense root, 1e-6 I if that fails."""
    import scipy.linalg

    means, covariances = [], []
    for rows in inputs.real, inputs.fake:
        wide = rows.numpy().astype(np.float64)
        means.append(wide.mean(axis=0))
        covariances.append(np.cov(wide, rowvar=False))
    if calculate_frechet_distance is not None:
        return {"fid": float(calculate_frechet_distance(means[0], covariances[0], means[1], covariances[1]))}
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    if not np.isfinite(root).all():
        ridge = 1e-6 * np.eye(len(root))
        root = scipy.linalg.sqrtm((covariances[0] + ridge) @ (covariances[1] + ridge))
    shift = means[0] - means[1]
    return {"fid": float(shift @ shift + np.trace(covariances[0] + covariances[1]) - 2 * np.trace(root.real))}


def their_prdc(inputs: Inputs) -> Values:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        scores = compute_prdc(inputs.real.numpy(), inputs.fake.numpy(), nearest_k=5)
    return {name: float(score) for name, score in scores.items()}


def moments(inputs: Inputs) -> Values:
    streamed = Moments()
    for batch in inputs.fake.split(1000):
        streamed.add(batch)
    return {"n": float(streamed.gaussian().n)}


TORCH_FIDELITY, PRDC = "torch-fidelity", "prdc (asks for 8 jobs)"
SQRTM = "pytorch-fid" if calculate_frechet_distance is not None else "sqrtm route, as in pytorch-fid"
RIVALS: dict[str, dict[str, Run]] = {
    "full": {"ganbench": our_full, TORCH_FIDELITY: their_full},
    "fid": {"ganbench": our_fid, TORCH_FIDELITY: their_fid, SQRTM: sqrtm_fid},
    "prdc": {"ganbench": our_prdc, PRDC: their_prdc},
}
SCALING: dict[str, Run] = {
    "frechet_distance": our_fid,
    "frechet_distance_infinity": lambda i: {"": frechet_distance_infinity(i.real, i.fake)},
    "Moments, batches of 1000": moments,
    "inception_score": lambda i: {"": inception_score(i.logits.softmax(dim=1))[0]},
    "kernel_distance": lambda i: {"": kernel_distance(i.real, i.fake, subset_size=subset_size(i))[0]},
    "kernel_distance_exact": lambda i: {"": kernel_distance_exact(i.real, i.fake)},
    "rbf_kernel_distance": lambda i: {"": rbf_kernel_distance(i.real, i.fake)},
    "precision_recall": lambda i: {"": precision_recall(i.real, i.fake)[0]},
    "density_coverage": lambda i: {"": density_coverage(i.real, i.fake)[0]},
    "authenticity": lambda i: {"": authenticity(i.real, i.fake)},
    # Half of the real set is what the model never saw.
    "data_copying": lambda i: {"": data_copying(i.real[::2], i.real[1::2], i.fake)},
    "vendi_score": lambda i: {"": vendi_score(i.fake)},
}
