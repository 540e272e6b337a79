"""Which boards a report shows: those that are named, else every one that there are runs for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganbench.boards.board import Board, build_board, published_store
from ganbench.boards.publish import TRACK, read_request
from ganbench.boards.request import BoardRequest
from ganbench.budget import Budget
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.experiment.protocols import resolve
from ganbench.registry.lookup import find_track, load_dataset
from ganbench.registry.registry import Registry
from ganbench.store.store import Store
from ganbench.tracks.track import Track

EMBEDDED = frozenset({"mnist5k", "mnist5k-binary", "digits", "ring8", "grid25"})
"""Data sets that are loaded without a download, and so may be asked for where nobody said that they are at hand."""


@dataclass(frozen=True)
class Asked:
    """A board that is wanted, and its data set where that is at hand; `own` tells whether the store has runs of it."""

    request: BoardRequest
    dataset: Dataset | None
    own: bool

    def board(self, places: Places, known_sources: Mapping[tuple[str, str], str]) -> Board:
        """Return the user's runs with the published ones that compare; where there are none of theirs, the published
        board as it stands in its CSV."""
        if not self.own and self.request.scoring.split == "test":
            alone = published_store(places.published, self.request.track.name)
            return build_board(self.request, [alone])
        return build_board(self.request, [places.store], places.published, known_sources=known_sources)


@dataclass(frozen=True)
class Places:
    """Where runs and data lie."""

    store: Store
    published: Path
    data_dir: Path | None = None


def named(
    names: Iterable[str], registry: Registry, places: Places, *, budget: str | None = None, precision: str | None = None
) -> list[Asked]:
    """Return the boards of tracks by their names or files; a published board needs no registered track."""
    return [_named(name, registry, places, budget, precision) for name in dict.fromkeys(names)]


def _named(name: str, registry: Registry, places: Places, budget: str | None, precision: str | None) -> Asked:
    known = {entry.name for entry in registry.all("tracks")}
    if name not in known and not name.endswith(".toml") and (places.published / name / TRACK).is_file():
        return _published(places.published / name, registry)
    track = find_track(name, registry).with_budget(budget).with_precision(precision)  # type: ignore[arg-type]
    trained = track_key(track) in _trained(places.store)
    if not trained and not (places.published / track.name / TRACK).is_file():  # its data set may be a download
        raise RequestError(
            f"track {track.name!r}: no run of it in {places.store.root}, and none is published in {places.published}: "
            f"train with `ganbench run --track {name}`"
        )
    return _asked(track, registry, places, trained=trained)


def found(
    registry: Registry,
    places: Places,
    *,
    budget: str | None = None,
    precision: str | None = None,
    left_out: Callable[[str], None] = lambda why: None,
) -> list[Asked]:
    """Return every board that the store or the published folder has runs of, in the order of their names.

    `left_out` is called with a track that has runs and whose board cannot be made here, and why.
    """
    trained = _trained(places.store)
    tracks = [entry.thing.with_budget(budget).with_precision(precision) for entry in registry.all("tracks")]
    asked: dict[str, Asked] = {}
    for track in tracks:
        if track_key(track) in trained:
            try:
                asked[track.name] = _asked(track, registry, places, trained=True)
            except RequestError as error:
                left_out(f"track {track.name!r}: {error}")
    if budget is None and precision is None:
        for folder in sorted(path.parent for path in places.published.glob(f"*/{TRACK}")):
            if folder.name not in asked:
                try:
                    asked[folder.name] = _published(folder, registry)
                except RequestError as error:
                    left_out(str(error))
    return [asked[name] for name in sorted(asked)]


def track_key(track: Track) -> tuple[str, str, str]:
    """Return what a run must share with a track to be worth a look: data set, budget and precision, by their names."""
    return track.dataset.partition(":")[0], str(Budget.parse(track.budget)), track.precision


def _trained(store: Store) -> set[tuple[str, str, str]]:
    trainings = (each.record.spec.training for each in store.records()
                 if each.record and each.record.spec.model_info.role == "model")  # fmt: skip
    return {(each.dataset.partition(":")[0], each.budget, each.precision) for each in trainings}


def _asked(track: Track, registry: Registry, places: Places, *, trained: bool) -> Asked:
    """Return the board of a registered track; one that is only published is not worth a download."""
    folder = places.published / track.name
    if not trained and track.dataset not in EMBEDDED and (folder / TRACK).is_file():
        return _published(folder, registry)
    protocols = resolve(track, registry, data_dir=places.data_dir)
    return Asked(protocols.board, protocols.dataset, own=trained)


def _published(folder: Path, registry: Registry) -> Asked:
    request = read_request(folder)
    if request.track.name != folder.name:
        raise RequestError(f"{folder / TRACK}: is of track {request.track.name!r}: rename the folder")
    dataset = None
    if request.track.dataset in EMBEDDED:
        try:
            dataset = load_dataset(request.track.dataset, registry, None)
        except RequestError:  # a damaged installation: the board itself is there
            dataset = None
    return Asked(request, dataset, own=False)
