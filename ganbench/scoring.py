"""Samples made anywhere, scored as a trial's are: what ``ganbench evaluate`` and `ganbench.evaluate` share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ganbench.data.dataset import Dataset, Split
from ganbench.errors import RequestError, did_you_mean
from ganbench.evaluation.arrays import plain
from ganbench.evaluation.features import extract
from ganbench.evaluation.images import Images, read_images
from ganbench.evaluation.judge import Judge, Reference
from ganbench.evaluation.kernel import kernel_scores
from ganbench.executors.resources import pick_device
from ganbench.extractors.base import Features
from ganbench.registry import Registry
from ganbench.report import Report, make_report
from ganbench.tracks.track import Track
from ganbench.trials.finished import Finished, is_run, read_finished
from ganbench.trials.plan import find_track, load_dataset
from ganbench.trials.provenance import provenance
from ganbench.trials.seeds import derive

TRACK = "mnist5k-quick"
LEAST = 20
"""Images that either side needs; no track scores fewer."""

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What a user asks for; the options of ``ganbench evaluate``. `track` None is the run's own, or `TRACK`."""

    samples: Any
    track: str | None = None
    reference: Any = None
    extractor: str | None = None
    labels: Any = None
    n: int | None = None
    layout: str | None = None
    value_range: str | None = None
    device: str = "auto"
    data_dir: Path | None = None
    weights: Path | None = None
    command: tuple[str, ...] = ()


def score(request: Request, registry: Registry, watch: Watch = lambda what, done, total: None) -> Report:
    """Read samples and reference, extract features, and compute every metric that applies.

    `watch` is told what is being done, how many images are done, and of how many. Raises `RequestError` for
    whatever cannot be met.
    """
    device = torch.device(pick_device(request.device))
    run = _run(request)
    if run is not None:
        setting = run.setting
        weights = request.weights or (setting.weights if request.extractor is None else None)
        request = replace(request, data_dir=request.data_dir or setting.data_dir, weights=weights)
    if request.weights is not None and not request.weights.is_file():
        raise RequestError(f"--weights {request.weights}: there is no such file")
    asked = run.trial.track.protocol if run and request.track is None else find_track(request.track or TRACK, registry)
    track = asked.with_extractor(request.extractor)
    source = registry.get("extractors", track.extractor).thing
    extractor, identity = source.load(device, request.weights), source.identity(request.weights)
    with run.threads() if run else contextlib.nullcontext():
        origin = provenance(device, "fp32", list(request.command))
        real, reference = _reference(request, track, registry, watch)
        notes = list[str]()
        if run is None:
            images = read_images(
                request.samples, labels=request.labels, n=request.n, layout=request.layout,
                value_range=request.value_range, watch=lambda done, total: watch("reading", done, total),
            )  # fmt: skip
        else:
            learnt = run.trial.track.protocol.dataset
            images = _drawn(run, request.n or track.samples, load_dataset(learnt, registry, request.data_dir), device)
            notes += _of_another(run, real, identity, device)
        images, comparable = _matched(images, reference, notes)
        _enough(images, reference)
        _checked_labels(images, real, reference, notes)
        notes += _on_sizes(images, reference, asked, real, request)
        oracle = source.classes > 0 and source.classes == real.classes
        judge = Judge(real, extractor, identity, oracle=oracle, device=device)
        done = 0

        def counted(images: torch.Tensor) -> Features:
            nonlocal done
            done += len(images)
            found: Features = extractor(images)
            watch("features", done, len(pixels))
            return found

        pixels = torch.from_numpy(images.pixels).to(device)
        labels = torch.from_numpy(images.labels).to(device) if images.labels is not None and real.classes else None
        steps = track.classifier_steps if comparable else 0
        seed = derive(run.trial.seed, "classifier") if run else 0
        found = extract(counted, pixels)
        watch("metrics", 0, 0)
        try:
            scores = judge.score_features(found, pixels, labels, classifier_steps=steps, seed=seed)
            kernel, how = kernel_scores(judge.reference, found.features)
        except ValueError as error:
            raise RequestError(f"{images.name}: {error}") from error
        return make_report(
            scores | kernel, images, reference, track, source, identity, notes=notes,
            fingerprint=_fingerprint(images, real, track, identity),
            settings={"kernel_distance": how, "downstream_classifier": {"updates": steps, "seed": seed}},
            provenance=origin,
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
    samples, labels = run.samples(n, dataset.heldout, device)
    return Images(
        str(run.folder), "run", samples.cpu().numpy(), None if labels is None else labels.cpu().numpy(), n,
        {"key": run.trial.key, "model": run.trial.about.label, "seed": run.trial.seed},
    )  # fmt: skip


def _reference(request: Request, track: Track, registry: Registry, watch: Watch) -> tuple[Dataset | Reference, Images]:
    """Return what the judge compares with, and the same images with their name."""
    wanted = request.reference
    name = track.dataset if wanted is None else str(wanted) if isinstance(wanted, str | Path) else ""
    if registry.has("tracks", name) or name.endswith(".toml"):
        name = find_track(name, registry).dataset
    if wanted is None or registry.has("datasets", name):
        dataset = load_dataset(name, registry, request.data_dir)
        test = dataset.test
        return dataset, Images(f"{name} (test split)", "dataset", test.images, test.labels, len(test))
    if name and is_run(Path(name)):
        raise RequestError(
            f"--reference {name}: is a run, not real images: name a track, a data set, a folder or a file"
        )
    if name and not Path(name).exists():
        known = [entry.name for kind in ("tracks", "datasets") for entry in registry.all(kind)]
        raise RequestError(f"--reference {name!r}: is no track, data set, folder or file{did_you_mean(name, known)}")
    images = read_images(
        wanted, layout=request.layout, value_range=request.value_range,
        watch=lambda done, total: watch("reading the reference", done, total),
    )  # fmt: skip
    return Reference(Split(images.pixels, None)), replace(images, labels=None)


def _matched(images: Images, reference: Images, notes: list[str]) -> tuple[Images, bool]:
    """Return the images with the reference's channels, and whether they also have its size."""
    channels, wanted = images.shape[0], reference.shape[0]
    if channels == 3 and wanted == 1 and (images.pixels == images.pixels[:, :1]).all():
        images = replace(images, pixels=plain(images.pixels[:, :1]))
        notes.append(f"{images.name}: RGB with three equal channels was read as grey")
    elif channels != wanted:
        form = "grey" if wanted == 1 else "RGB"
        raise RequestError(
            f"{images.name}: has {channels} channels, the reference {reference.name} has {wanted}: save it as {form}"
        )
    if images.shape == reference.shape:
        return images, True
    sizes = ["x".join(map(str, each.shape[1:])) for each in (images, reference)]
    notes.append(
        f"samples are {sizes[0]}, the reference {sizes[1]} (height x width): the extractor resizes both, which "
        "changes every score, and accuracies are left out"
    )
    return images, False


def _enough(images: Images, reference: Images) -> None:
    for each in (images, reference):
        if len(each) < LEAST:
            raise RequestError(f"{each.name}: {len(each)} images: at least {LEAST} are needed for a score")


def _checked_labels(images: Images, real: Dataset | Reference, reference: Images, notes: list[str]) -> None:
    if images.labels is None:
        return
    if not real.classes:
        notes.append(f"labels are not used: the reference {reference.name} has no classes")
        return
    wrong = images.labels[(images.labels < 0) | (images.labels >= real.classes)]
    if len(wrong):
        raise RequestError(
            f"{images.name}: label {wrong[0]} is no class of {reference.name}: give 0 to {real.classes - 1}"
        )


def _on_sizes(
    images: Images, reference: Images, asked: Track, real: Dataset | Reference, request: Request
) -> list[str]:
    notes, own = list[str](), _is_own(real, asked)
    # A track's own n is the protocol, whatever the size of its reference.
    if len(images) != (asked.samples if own else len(reference)):
        others = f"the reference has {len(reference):,} images"
        others += f" and {asked.name} scores {asked.samples:,} samples" if own else ""
        notes.append(f"n = {len(images):,}, but {others}: FID depends on n: compare only at equal n")
    if not own and request.extractor is None:
        notes.append(f"features are those of {asked.extractor}, which {asked.name} names: --extractor takes another")
    return [*images.notes, *reference.notes, *notes]


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


def _fingerprint(images: Images, real: Dataset | Reference, track: Track, identity: str) -> str | None:
    if isinstance(real, Dataset) and _is_own(real, track) and len(images) == track.samples:
        return track.fingerprint(real.sha256, identity)
    return None


def _is_own(real: Dataset | Reference, track: Track) -> bool:
    return isinstance(real, Dataset) and real.name == track.dataset
