"""Checks of metrics, data sets, extractors and tracks: what is built in passes, and each finds what it is for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench import Dataset, DataSource, Extractor, ExtractorSource, Features, Metric, MetricContext, Split, Track
from ganbench.data.dataset import make_dataset
from ganbench.data.embedded import DIGITS, load_digits
from ganbench.data.gaussian_mixtures import RING8
from ganbench.extractors.bundled import LENETS
from ganbench.extractors.coordinates import COORDINATES
from ganbench.metric import STANDARD
from ganbench.registry.registry import Registry
from ganbench.testing import (
    DATASET_CHECKS,
    EXTRACTOR_CHECKS,
    METRIC_CHECKS,
    TRACK_CHECKS,
    check_dataset,
    check_extractor,
    check_metric,
    check_track,
)
from ganbench.tracks.track import read_track

LENET = LENETS[0]


def said_by(checks: tuple[Any, ...], name: str, *subject: Any) -> str:
    """Return what one check says of a thing that breaks its rule."""
    (check,) = (each for each in checks if each.name == name)
    with pytest.raises(AssertionError) as found:
        check(*subject)
    assert "\n" not in str(found.value)
    return str(found.value)


# Metrics.


def ink(context: MetricContext) -> float:
    assert context.real.images is not None
    return abs(float(context.images.float().mean() - context.real.images.float().mean()))


def metric(compute: Callable[[MetricContext], Any] = ink, **changed: Any) -> Metric:
    fields = {
        "name": "ink", "title": "Ink", "direction": "lower", "low": 0, "meaning": "how much is drawn",
        "source": "a test", "needs": ("reference",),
    }  # fmt: skip
    return Metric(compute=compute, **(fields | changed))


def darkened(context: MetricContext) -> float:
    value = ink(context)
    context.images.zero_()
    return value


def centred(context: MetricContext) -> float:
    context.reference.sub_(context.reference.mean(0))
    return ink(context)


def many_alone(context: MetricContext) -> float:
    return float(context.features[5].sum().abs()) * 0 + ink(context)


METRICS: dict[str, tuple[Metric, str, str]] = {
    "no meaning": (metric(meaning=" "), "says_what_it_is", "meaning is empty"),
    "bounds": (metric(low=1, high=1), "says_what_it_is", "low = 1.0 is not below high = 1.0"),
    "beyond": (metric(high=10), "gives_finite_values_within_its_bounds", "beyond its bounds"),
    "NaN": (metric(lambda context: float("nan")), "gives_finite_values_within_its_bounds", "its value is nan"),
    "direction": (metric(direction="higher"), "prefers_real_images_to_noise", 'direction = "higher", but real'),
    "random": (metric(lambda it: ink(it) + np.random.rand()), "is_pure", "the same samples gave"),
    "images": (metric(darkened), "is_pure", "compute changed the context's images"),
    "reference": (metric(centred), "is_pure", "compute changed the reference's features"),
    "few": (metric(many_alone), "takes_few_samples", "compute raised IndexError"),
    "needs": (metric(needs=()), "names_its_needs", "add what it uses to needs"),
}


def test_built_in_metrics_pass(registry: Registry) -> None:
    for name in ("fid", "gan_test", "mode_kl", "bits_per_dim"):
        check_metric(registry.get("metrics", name).thing)
    check_metric(metric())


@pytest.mark.parametrize("case", METRICS)
def test_a_metric_that_breaks_a_rule(case: str) -> None:
    thing, name, says = METRICS[case]
    assert says in said_by(METRIC_CHECKS, name, thing)


def test_every_rule_of_metrics_is_broken_here() -> None:
    assert {name for _, name, _ in METRICS.values()} == {check.name for check in METRIC_CHECKS}


# Data sets.


@cache
def digits() -> Dataset:
    return load_digits()


def source(dataset: Dataset, **changed: Any) -> DataSource:
    return DataSource(**({"name": dataset.name, "load": lambda folder: dataset, "summary": "made up"} | changed))


def made(**changed: Any) -> Dataset:
    """Digits with other splits, or another number of classes, and the hash of that."""
    now = replace(digits(), **changed)
    return make_dataset(now.name, now.train, now.test, now.validation, now.classes)


def split(name: str, **changed: Any) -> Split:
    return replace(digits().split(name), **changed)


def drawn_anew(folder: Path | None) -> Dataset:
    order = np.random.permutation(len(digits().train))
    train = digits().train
    assert train.labels is not None
    return made(train=Split(train.images[order], train.labels[order]))


def few_classes() -> Dataset:
    test = digits().test
    assert test.labels is not None
    keep = test.labels != 3
    return made(test=Split(test.images[keep], test.labels[keep]))


DATASETS: dict[str, tuple[Callable[[], DataSource], str, str]] = {
    "name": (lambda: source(digits(), name="other"), "is_a_data_source", "is called 'digits'"),
    "not made": (lambda: source(digits(), load=lambda folder: None), "is_a_data_source", "load returned NoneType"),
    "float": (
        lambda: source(made(test=split("test", images=digits().test.images / 255))),
        "has_splits_of_one_form",
        "test images are float64",
    ),
    "binary": (
        lambda: source(made(train=split("train", images=(digits().train.images > 9).astype(np.uint8)))),
        "uses_the_range",
        "no pixel is above 1",
    ),
    "labels": (lambda: source(made(classes=9)), "has_labels_in_range", "from 0 to 9, with classes = 9"),
    "unlabelled": (lambda: source(made(test=split("test", labels=None))), "has_labels_in_range", "are None"),
    "missing": (lambda: source(few_classes()), "has_every_class_in_every_split", "test has no image of class 3"),
    "shared": (
        lambda: source(made(test=digits().train)),
        "has_disjoint_splits",
        "images of test are in train too",
    ),
    "random": (lambda: DataSource("digits", drawn_anew, "x"), "loads_the_same_each_time", "not the same"),
    "hash": (
        lambda: source(digits(), sha256="0" * 64),
        "loads_the_same_each_time",
        "and its source says 000000000000",
    ),
    "stated": (lambda: source(replace(digits(), sha256="0" * 64)), "states_its_own_hash", "is not that of its content"),
}


def test_built_in_data_sets_pass() -> None:
    for each in (DIGITS, RING8):
        check_dataset(each)


@pytest.mark.parametrize("case", DATASETS)
def test_a_data_set_that_breaks_a_rule(case: str) -> None:
    make, name, says = DATASETS[case]
    assert says in said_by(DATASET_CHECKS, name, make())


def test_every_rule_of_data_sets_is_broken_here() -> None:
    assert {name for _, name, _ in DATASETS.values()} == {check.name for check in DATASET_CHECKS}


# Extractors.


def mean_colour(images: Tensor) -> Features:
    columns = [images.float().mean((1, 2, 3)), images.float().amax((1, 2, 3))]
    return Features(torch.stack(columns, 1), None)


def extractor(function: Callable[[Tensor], Features] = mean_colour, **changed: Any) -> ExtractorSource:
    def load(device: torch.device, weights: Path | None) -> Extractor:
        return function

    def sha256(weights: Path | None) -> str:
        return hashlib.sha256(weights.read_bytes() if weights else b"").hexdigest()

    return ExtractorSource(**({"name": "mean", "summary": "means", "load": load, "sha256": sha256} | changed))


def darkens(images: Tensor) -> Features:
    found = mean_colour(images)
    images.zero_()
    return found


def logits(images: Tensor) -> Features:
    return Features(mean_colour(images).features, mean_colour(images).features)


EXTRACTORS: dict[str, tuple[ExtractorSource, str, str]] = {
    "summary": (extractor(summary=""), "is_an_extractor_source", "summary is empty"),
    "width": (extractor(feature_dim=3), "gives_finite_features", "feature_dim = 3, and features have 2 columns"),
    "tuple": (extractor(lambda it: mean_colour(it)[0]), "gives_finite_features", "returned Tensor"),  # type: ignore[arg-type,return-value]
    "logits": (extractor(logits, classes=2), "gives_probabilities_that_sum_to_one", "return softmax, not logits"),
    "classes": (extractor(classes=2), "gives_probabilities_that_sum_to_one", "returns no probabilities"),
    "batch": (
        extractor(lambda it: Features(mean_colour(it).features / len(it), None)),
        "looks_at_each_image_alone",
        "with its batch: call eval()",
    ),
    "random": (
        extractor(lambda it: Features(mean_colour(it).features + torch.rand(len(it), 2), None)),
        "gives_the_same_each_time",
        "gives other features for the same images",
    ),
    "in place": (extractor(darkens), "leaves_its_images_alone", "changed the images"),
    "pixels": (
        extractor(lambda it: Features(it.flatten(1).float(), None)),
        "takes_images_of_any_form",
        "features of 1x8x8 images have 64 columns",
    ),
    "identity": (extractor(sha256=lambda weights: "v1"), "has_an_identity", "sha256 gives 'v1'"),
    "same": (
        extractor(sha256=lambda weights: hashlib.sha256(b"").hexdigest()),
        "refuses_other_weights",
        "another file of weights has the same identity",
    ),
}


def test_built_in_extractors_pass() -> None:
    for each in (LENET, COORDINATES, extractor()):
        check_extractor(each)


@pytest.mark.parametrize("case", EXTRACTORS)
def test_an_extractor_that_breaks_a_rule(case: str) -> None:
    thing, name, says = EXTRACTORS[case]
    assert says in said_by(EXTRACTOR_CHECKS, name, thing)


def test_every_rule_of_extractors_is_broken_here() -> None:
    assert {name for _, name, _ in EXTRACTORS.values()} == {check.name for check in EXTRACTOR_CHECKS}


# Tracks.


def track(registry: Registry, **changed: Any) -> Track:
    smoke: Track = registry.get("tracks", "digits-smoke").thing
    return Track(**(smoke.model_dump() | {"name": "mine"} | changed))


TRACKS: dict[str, tuple[dict[str, Any], str, str]] = {
    "summary": ({"summary": " "}, "reads_back", "summary is empty"),
    "metric": ({"metrics": ["standard", "fld"]}, "names_what_exists", "unknown metric 'fld' (did you mean 'fid'?)"),
    "extractor": ({"extractor": "lenet"}, "names_what_exists", "unknown extractor 'lenet'"),
    "samples": ({"samples": 500}, "names_what_exists", "samples = 500, but digits has 300 images"),
    "points": ({"metrics": ["fid", "modes"]}, "has_metrics_that_apply", "metric 'modes' needs modes, which digits"),
    "curve": ({"curve_points": 12}, "has_a_budget_for_its_curve", "the first of 12 curve points comes after 1 images"),
}


def test_built_in_tracks_pass(registry: Registry) -> None:
    for name in ("digits-smoke", "ring8-quick"):
        check_track(registry.get("tracks", name).thing, registry)


@pytest.mark.parametrize("case", TRACKS)
def test_a_track_that_breaks_a_rule(case: str, registry: Registry) -> None:
    changed, name, says = TRACKS[case]
    assert says in said_by(TRACK_CHECKS, name, track(registry, **changed), registry)


def test_every_rule_of_tracks_is_broken_here() -> None:
    assert {name for _, name, _ in TRACKS.values()} == {check.name for check in TRACK_CHECKS}


def test_a_track_may_name_a_file_and_the_standard_metrics(tmp_path: Path, registry: Registry) -> None:
    from ganbench.extractors.classifier_file import ClassifierInfo, pack
    from ganbench.extractors.lenet import LeNet

    described = ClassifierInfo(
        architecture="lenet", architecture_version=1, input_shape=(1, 28, 28), classes=10, feature_dim=128,
        preprocessing=1, dataset="digits", dataset_sha256="", training_images=1, epochs=1, updates=1, flip=False,
        seed=0, device="cpu", test_accuracy=0.5, test_images=1, torch="", ganbench="",
    )  # fmt: skip
    (tmp_path / "own.safetensors").write_bytes(pack(described, LeNet().state_dict()))
    path = tmp_path / "mine.toml"
    lines = track(registry).toml().splitlines()
    kept = [line for line in lines if not line.startswith(("extractor", "metrics"))]
    path.write_text("\n".join([*kept, 'extractor = "own.safetensors"', 'metrics = ["vendi", "standard", "fid"]']))
    found = read_track(path)
    assert found.metrics == ("vendi", *STANDARD)
    assert Path(found.extractor) == tmp_path / "own.safetensors"
    check_track(path, registry)
