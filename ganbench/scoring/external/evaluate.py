"""Samples made anywhere, scored as a trial's are: what ``ganbench evaluate`` and `ganbench.evaluate` share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.experiment.plan import find_metrics, find_track, load_dataset, with_extractor, with_metrics
from ganbench.extractors.base import Features
from ganbench.metrics.fid import gaussian_of
from ganbench.registry.registry import Registry
from ganbench.scoring.evaluator import Evaluator, Reference
from ganbench.scoring.external.images import Images, read_images
from ganbench.scoring.external.point_files import read_points
from ganbench.scoring.external.reference import LEAST, check_labels, is_own, matched, on_sizes, read_reference
from ganbench.scoring.external.report import Report, make_report
from ganbench.scoring.external.saved_statistics import write_statistics
from ganbench.scoring.features import extract
from ganbench.scoring.metric_context import Classifier
from ganbench.store.lookup import is_run
from ganbench.store.provenance import provenance
from ganbench.store.seeds import derive
from ganbench.training.trained_run import Finished, read_finished
from ganbench.util.device import pick_device

TRACK = "mnist5k-quick"

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench evaluate``. `track` None is the run's own, or `TRACK`."""

    samples: Any
    track: str | None = None
    reference: Any = None
    extractor: str | None = None
    metrics: str | None = None
    labels: Any = None
    n: int | None = None
    layout: str | None = None
    value_range: str | None = None
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
    device = torch.device(pick_device(request.device))
    run = _run(request)
    if run is not None:
        setting = run.setting
        weights = request.weights or (setting.weights if request.extractor is None else None)
        request = replace(request, data_dir=request.data_dir or setting.data_dir, weights=weights)
    asked = run.trial.track.protocol if run and request.track is None else find_track(request.track or TRACK, registry)
    track, weights = with_extractor(asked, request.extractor, request.weights)
    track = with_metrics(track, request.metrics, registry)
    metrics = find_metrics(track.metrics, registry)
    source = registry.get("extractors", track.extractor).thing
    extractor, identity = source.load(device, weights), source.identity(weights)
    with run.threads() if run else contextlib.nullcontext():
        origin = provenance(device, "fp32", list(request.command))
        real, reference = read_reference(
            request.reference, track, registry, identity, data_dir=request.data_dir, layout=request.layout,
            value_range=request.value_range, watch=lambda done, total: watch("reading the reference", done, total),
        )  # fmt: skip
        notes = list[str]()
        if reference.shape is not None:
            source.check(reference.name, reference.shape)
        if run is None and reference.shape is not None and len(reference.shape) == 1:
            images = read_points(request.samples, labels=request.labels, n=request.n)
        elif run is None:
            images = read_images(
                request.samples, labels=request.labels, n=request.n, layout=request.layout,
                value_range=request.value_range, watch=lambda done, total: watch("reading", done, total),
            )  # fmt: skip
        else:
            learnt = run.trial.track.protocol.dataset
            images = _drawn(run, request.n or track.samples, load_dataset(learnt, registry, request.data_dir), device)
            notes += _of_another(run, real, identity, device)
        images, comparable = matched(images, reference, notes)
        check_labels(images, real, reference, notes)
        notes += on_sizes(images, reference, asked, real, request.extractor)
        oracle = 0 < real.classes == source.classes_of(weights)
        judge = Evaluator(real, extractor, identity, metrics, oracle=oracle, device=device, headline=track.headline)
        done = 0

        def counted(images: torch.Tensor) -> Features:
            nonlocal done
            done += len(images)
            found: Features = extractor(images)
            watch("features", done, len(pixels))
            return found

        pixels = torch.from_numpy(images.pixels).to(device)
        labels = torch.from_numpy(images.labels).to(device) if images.labels is not None and real.classes else None
        seed = derive(run.trial.seed, "classifier") if run else 0
        classifier = Classifier(track.classifier_steps, seed, track.classifier_seeds) if comparable else None
        found = extract(counted, pixels)
        watch("metrics", 0, 0)
        try:
            verdict = judge.score_features(found, pixels, labels, classifier=classifier)
        except ValueError as error:
            raise RequestError(f"{images.name}: {error}") from error
        if request.save_statistics is not None:
            write_statistics(
                request.save_statistics, gaussian_of(found.features),
                extractor=source.name, identity=identity, images_sha256=images.sha256,
            )  # fmt: skip
        own = is_own(real, track) and len(images) == track.samples
        facts = [metric.info for metric in metrics]
        return make_report(
            verdict, facts, images, reference, track, source, identity, notes=notes,
            fingerprint=track.fingerprint(real.sha256, identity, facts) if own and isinstance(real, Dataset) else None,
            classifier=classifier, provenance=origin,
        )  # fmt: skip


def _run(request: Request) -> Finished | None:
    if not isinstance(request.samples, str | Path):
        return None
    folder = Path(request.samples)
    if is_run(folder):
        if request.labels is not None:
            raise RequestError(f"{folder}: a run asks its model for labels of its own: leave out --labels")
        if request.n is not None and request.n < 1:
            raise RequestError(f"{folder}: --samples {request.n}: at least {LEAST}")
        return read_finished(folder)
    inside = next((path.parent for path in sorted(folder.glob("*/record.json"))), None)
    if inside is not None:
        raise RequestError(f"{folder}: holds runs, not images: name one, such as {inside}")
    return None


def _drawn(run: Finished, n: int, dataset: Dataset, device: torch.device) -> Images:
    samples, labels = run.samples(n, dataset.validation, device)
    return Images(
        str(run.folder), "run", samples.cpu().numpy(), None if labels is None else labels.cpu().numpy(), n,
        {"key": run.trial.key, "model": run.trial.about.label, "seed": run.trial.seed},
    )  # fmt: skip


def _of_another(run: Finished, real: Dataset | Reference, identity: str, device: torch.device) -> list[str]:
    """Say what keeps a run's numbers from being those of its record."""
    info = run.trial.track
    reasons = {
        "the model's source has changed": run.changed,
        "the data set was another": info.dataset_sha256 != getattr(real, "sha256", None),
        "the extractor was another": info.extractor_sha256 != identity,
        f"it ran on {run.setting.device}": torch.device(run.setting.device).type != device.type,
    }
    return [f"{run.folder}: numbers may differ from its record's: {each}" for each, true in reasons.items() if true]
