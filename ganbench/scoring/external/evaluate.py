"""Samples made anywhere, scored as those of runs are: what ``ganbench evaluate`` and `ganbench.evaluate` share.

A run's samples are read from its files; no model plugin is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganbench.data.dataset import Dataset, sample_labels
from ganbench.errors import RequestError
from ganbench.extractors.base import Features
from ganbench.extractors.classifier_file import by_file
from ganbench.metrics.fid import gaussian_of
from ganbench.registry.lookup import find_metrics, find_track, load_dataset, read_metrics
from ganbench.registry.registry import Registry
from ganbench.scoring.baselines import draw_baseline
from ganbench.scoring.evaluator import Evaluator, Reference
from ganbench.scoring.external.images import Images, read_images
from ganbench.scoring.external.point_files import read_points
from ganbench.scoring.external.reference import LEAST, check_labels, enough, matched, on_sizes, read_reference
from ganbench.scoring.external.report import Report, make_report
from ganbench.scoring.external.saved_statistics import write_statistics
from ganbench.scoring.features import extract
from ganbench.scoring.metric_context import Classifier
from ganbench.scoring.worker import read_final
from ganbench.store.layout import RUN
from ganbench.store.lookup import is_run
from ganbench.store.provenance import provenance
from ganbench.store.run_record import RunRecord, read_run
from ganbench.store.seeds import derive
from ganbench.util.device import pick_device

TRACK = "mnist5k-quick"

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench evaluate``. `track` None is `TRACK`, or one of the run's data."""

    samples: Any
    track: str | None = None
    reference: Any = None
    extractor: str | None = None
    metrics: str | None = None
    labels: Any = None
    n: int | None = None
    layout: str | None = None
    value_range: str | None = None
    against: str = "test"
    device: str = "auto"
    data_dir: Path | None = None
    weights: Path | None = None
    save_statistics: Path | None = None
    command: tuple[str, ...] = ()


def score(request: Request, registry: Registry, watch: Watch = lambda what, done, total: None) -> Report:
    """Read samples and reference, extract features, and compute every metric that is asked for and applies.

    `watch` is told what is being done, how many images are done, and of how many. Raises `RequestError` for
    whatever cannot be met.
    """
    for option, value in (("SAMPLES", request.samples), ("--reference", request.reference)):
        if isinstance(value, str) and not value:
            raise RequestError(f"{option}: the path is empty: write . for the current folder")
    device = torch.device(pick_device(request.device))
    run = _run(request)
    track = find_track(request.track or (_track_of(run, registry) if run else TRACK), registry)
    extractor_name, weights = by_file(request.extractor or track.extractor, request.weights)
    if weights is not None and not weights.is_file():
        raise RequestError(f"--weights {weights}: there is no such file")
    names = track.metrics if request.metrics is None else read_metrics(request.metrics, track, registry)
    metrics = find_metrics(names, registry)
    source = registry.get("extractors", str(extractor_name)).thing
    extractor, identity = source.load(device, weights), source.identity(weights)
    origin = provenance(device, "fp32", list(request.command))
    real, reference = read_reference(
        request.reference, track, registry, source.name, identity, against=request.against,
        data_dir=request.data_dir, layout=request.layout, value_range=request.value_range,
        watch=lambda done, total: watch("reading the reference", done, total),
    )  # fmt: skip
    notes = list[str]()
    if reference.shape is not None:
        source.check(reference.name, reference.shape)
    if run is not None:
        images = _of_run(run, request.n or track.samples, request, real, registry)
    elif reference.shape is not None and len(reference.shape) == 1:
        images = read_points(request.samples, labels=request.labels, n=request.n)
    else:
        images = read_images(
            request.samples, labels=request.labels, n=request.n, layout=request.layout,
            value_range=request.value_range, class_names=real.class_names,
            watch=lambda done, total: watch("reading", done, total),
        )  # fmt: skip
    for each in (images, reference):
        enough(each)
    images, comparable = matched(images, reference, notes)
    check_labels(images, real, reference, notes)
    headline = next((metric.info.title for metric in metrics if metric.name == track.headline), None)
    notes += on_sizes(images, reference, track, real, request.extractor, headline)
    oracle = 0 < real.classes == source.classes_of(weights)
    evaluator = Evaluator(
        real, extractor, identity, metrics, oracle=oracle, device=device, headline=track.headline,
        against=request.against,
    )  # fmt: skip
    done = 0

    def counted(images: torch.Tensor) -> Features:
        nonlocal done
        done += len(images)
        found: Features = extractor(images)
        watch("features", done, len(pixels))
        return found

    pixels = torch.from_numpy(images.pixels).to(device)
    labels = torch.from_numpy(images.labels).to(device) if images.labels is not None and real.classes else None
    seed = derive(run.spec.seed, "classifier") if run else 0
    classifier = Classifier(track.classifier_steps, seed, track.classifier_seeds) if comparable else None
    found = extract(counted, pixels)
    watch("metrics", 0, 0)
    try:
        result = evaluator.score_features(found, pixels, labels, classifier=classifier)
    except ValueError as error:
        raise RequestError(f"{images.name}: {error}") from error
    if request.save_statistics is not None:
        write_statistics(
            request.save_statistics, gaussian_of(found.features),
            extractor=source.name, identity=identity, images_sha256=images.sha256,
        )  # fmt: skip
    return make_report(
        result, metrics, images, real, reference, track, source, identity, against=request.against, notes=notes,
        classifier=classifier, provenance=origin,
    )  # fmt: skip


def _run(request: Request) -> RunRecord | None:
    """Return the record of a run's folder; None for samples made elsewhere."""
    if not isinstance(request.samples, str | Path):
        return None
    folder = Path(request.samples)
    if is_run(folder):
        if request.labels is not None:
            raise RequestError(f"{folder}: the labels of a run are known: leave out --labels")
        if request.n is not None and request.n < LEAST:
            raise RequestError(f"{folder}: --samples {request.n}: at least {LEAST}")
        if not (folder / RUN).exists():
            raise RequestError(f"{folder}: the run is not finished: the same `ganbench run` goes on with it")
        record = read_run(folder / RUN)
        if record.samples is None:
            raise RequestError(f"{folder}: has no samples: it ended as {record.status}: {record.reason}")
        return record
    inside = next((path.parent for path in sorted(folder.glob(f"*/{RUN}"))), None)
    if inside is not None:
        raise RequestError(f"{folder}: holds runs, not images: name one, such as {inside}")
    return None


def _track_of(run: RunRecord, registry: Registry) -> str:
    """Return the first track with a run's data set."""
    names = [entry.name for entry in registry.all("tracks") if entry.thing.dataset == run.spec.training.dataset]
    if not names:
        raise RequestError(
            f"no track has the data set {run.spec.training.dataset!r} of this run: name one with --track"
        )
    return names[0]


def _of_run(run: RunRecord, n: int, request: Request, real: Dataset | Reference, registry: Registry) -> Images:
    """Return a run's samples, and for a conditional model the labels that they were made for."""
    assert run.samples is not None
    folder, info, training = Path(request.samples), run.spec.model_info, run.spec.training
    known = isinstance(real, Dataset) and real.train_sha256 == training.train_sha256
    # The row `real` shows one split of the data set: against the same one it would be compared with itself.
    shown = run.spec.config.get("shown", "validation") if info.role == "ceiling" else ""
    if known and request.against == shown:
        other = "test" if shown == "validation" else "validation"
        raise RequestError(f"{folder}: holds the {shown} split itself: compare it with --against {other}")
    samples = read_final(folder, run, n)
    labels = None
    if info.conditional and real.classes:
        dataset = real if isinstance(real, Dataset) and known else _trained_on(run, request, registry)
        if info.role == "model" and dataset.train.labels is not None:
            labels = sample_labels(dataset.train.labels, len(samples), derive(run.spec.seed, "labels"))
        elif info.role != "model":
            against = "validation" if shown == "test" else "test"
            labels = draw_baseline(info.name, dataset, len(samples), against=against).labels
    return Images(
        str(folder), "run", samples, labels, run.samples.n,
        {"key": run.key, "model": info.label, "seed": run.spec.seed},
    )  # fmt: skip


def _trained_on(run: RunRecord, request: Request, registry: Registry) -> Dataset:
    """Load the data set of a run, from whose training labels the samples' labels were drawn."""
    training = run.spec.training
    dataset = load_dataset(training.dataset, registry, request.data_dir)
    if dataset.train_sha256 != training.train_sha256:
        raise RequestError(
            f"{request.samples}: was trained on other images than {training.dataset} holds here: the labels of its "
            "samples are not known"
        )
    return dataset
