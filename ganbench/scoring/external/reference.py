"""What samples are compared with, whether the two can be compared, and what a reader must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganbench.data.dataset import Dataset, Split
from ganbench.errors import RequestError, did_you_mean
from ganbench.registry.lookup import find_track, load_dataset
from ganbench.registry.registry import Registry
from ganbench.scoring.evaluator import Reference
from ganbench.scoring.external.array_layout import plain
from ganbench.scoring.external.images import Images, read_images
from ganbench.scoring.external.saved_statistics import Statistics, is_statistics, read_statistics
from ganbench.store.lookup import is_run
from ganbench.tracks.track import Track

LEAST = 20
"""Images that either side needs; no track scores fewer."""


def read_reference(
    wanted: Any,
    track: Track,
    registry: Registry,
    extractor: str,
    identity: str,
    *,
    against: str,
    data_dir: Path | None,
    layout: str | None,
    value_range: str | None,
    watch: Callable[[int, int], None],
) -> tuple[Dataset | Reference, Images | Statistics]:
    """Return what the evaluator compares with, and the same with its name.

    `wanted` is a track, a data set, a folder, a file of images or of statistics, or an array; None is the track's own.
    """
    name = track.dataset if wanted is None else str(wanted) if isinstance(wanted, str | Path) else ""
    if registry.has("tracks", name) or name.endswith(".toml"):
        name = find_track(name, registry).dataset
    if wanted is None or registry.has("datasets", name):
        dataset = load_dataset(name, registry, data_dir)
        split = dataset.split(against)
        return dataset, Images(f"{name} ({against} split)", "dataset", split.images, split.labels, len(split))
    if name and is_run(Path(name)):
        raise RequestError(
            f"--reference {name}: is a run, not real images: name a track, a data set, a folder or a file"
        )
    if name:
        check_known(name, registry)
    if name and is_statistics(Path(name)):
        statistics = read_statistics(Path(name), identity, extractor)
        return Reference(None, statistics.moments), statistics
    images = read_images(wanted, layout=layout, value_range=value_range, watch=watch)
    return Reference(Split(images.pixels, None)), replace(images, labels=None)


def check_known(name: str, registry: Registry) -> None:
    """Raise `RequestError` for the name of a reference that is nothing at all."""
    if not (any(registry.has(kind, name) for kind in ("tracks", "datasets")) or Path(name).exists()):
        known = [entry.name for kind in ("tracks", "datasets") for entry in registry.all(kind)]
        raise RequestError(f"--reference {name!r}: is not a track, data set, folder or file{did_you_mean(name, known)}")


def enough(each: Images | Statistics) -> None:
    """Raise `RequestError` for fewer images than a score needs; saved statistics may not say how many they are of."""
    if len(each) < LEAST and (len(each) or isinstance(each, Images)):
        raise RequestError(f"{each.name}: {len(each)} images: at least {LEAST} are needed for a score")


def matched(images: Images, reference: Images | Statistics, notes: list[str]) -> tuple[Images, bool]:
    """Return the images with the reference's channels, and whether they also have its size."""
    if reference.shape is None:
        return images, False
    if len(images.shape) != len(reference.shape):
        holds, has = ("points" if len(each.shape or ()) == 1 else "images" for each in (images, reference))
        raise RequestError(f"{images.name}: holds {holds}, the reference {reference.name} has {has}")
    channels, wanted = images.shape[0], reference.shape[0]
    if channels == 3 and wanted == 1 and (images.pixels == images.pixels[:, :1]).all():
        images = replace(images, pixels=plain(images.pixels[:, :1]))
        notes.append(f"{images.name}: RGB with three equal channels was read as grey")
    elif channels != wanted:
        form = "grey" if wanted == 1 else "RGB"
        raise RequestError(
            f"{images.reading.get('mixture') or images.name}: has {channels} channels, the reference {reference.name} "
            f"has {wanted}: save it as {form}"
        )
    if images.shape == reference.shape:
        return images, True
    if len(images.shape) == 1:
        raise RequestError(f"{images.name}: points have {channels} coordinates, those of {reference.name} {wanted}")
    sizes = ["x".join(map(str, each.shape[1:])) for each in (images, reference) if each.shape is not None]
    notes.append(
        f"samples are {sizes[0]}, the reference {sizes[1]} (height x width): the extractor resizes both, which "
        "changes every score, and accuracies are left out"
    )
    return images, False


def check_labels(images: Images, real: Dataset | Reference, reference: Images | Statistics, notes: list[str]) -> None:
    """Raise `RequestError` for a label that is not a class of the reference."""
    if images.labels is None:
        return
    if not real.classes:
        notes.append(f"labels are not used: the reference {reference.name} has no classes")
        return
    wrong = images.labels[(images.labels < 0) | (images.labels >= real.classes)]
    if len(wrong):
        raise RequestError(
            f"{images.name}: label {wrong[0]} is not a class of {reference.name}: give 0 to {real.classes - 1}"
        )


def on_sizes(
    images: Images,
    reference: Images | Statistics,
    asked: Track,
    real: Dataset | Reference,
    extractor: str | None,
    headline: str | None,
) -> list[str]:
    """Return what must be said of n and of the extractor; `extractor` is the one asked for, None the track's.

    `headline` is the title of the metric that the track ranks by, None where it is not computed.
    """
    notes, own = list[str](), is_own(real, asked)
    # A track's own n is the protocol, whatever the size of its reference.
    if len(images) != (asked.samples if own else len(reference)):
        others = f"the reference has {len(reference):,} images" if len(reference) else "the reference's n is not known"
        others += f" and {asked.name} scores {asked.samples:,} samples" if own else ""
        depends = f"{headline} depends" if headline else "many scores depend"
        notes.append(f"n = {len(images):,}, but {others}: {depends} on n: compare only at equal n")
    if not own and extractor is None:
        notes.append(f"features are those of {asked.extractor}, which {asked.name} names: --extractor takes another")
    return [*images.notes, *reference.notes, *notes]


def is_own(real: Dataset | Reference, track: Track) -> bool:
    """Tell whether the reference is the track's data set."""
    return isinstance(real, Dataset) and real.name == track.dataset
