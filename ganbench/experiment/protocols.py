"""A track with its content: the training and scoring protocols that its names stand for on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.boards.request import BoardRequest
from ganbench.budget import Budget
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.extractors.classifier_file import by_file
from ganbench.metric import Metric
from ganbench.registry.builtins import discover
from ganbench.registry.loading import entry_point_of
from ganbench.registry.lookup import find_metrics, find_track, load_dataset, read_metrics
from ganbench.registry.registry import Registry
from ganbench.store.run_spec import TrainingProtocol
from ganbench.store.score_record import ScoringProtocol
from ganbench.tracks.track import Track

if TYPE_CHECKING:
    from ganbench.extractors.base import ExtractorSource

WITHOUT_FEATURES = {"classifier", "likelihood", "modes"}
"""A metric that needs one of these has the same value under every extractor, or one that only the track's own gives."""


@dataclass(frozen=True)
class ScorePlan:
    """One scoring protocol and the metrics that are asked for under it; `items` say who brings what it names."""

    protocol: ScoringProtocol
    metrics: tuple[Metric, ...]
    weights: Path | None
    items: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Protocols:
    """A track, its data set, and what its runs depend on; the first score plan is the track's own."""

    track: Track
    dataset: Dataset
    training: TrainingProtocol
    plans: tuple[ScorePlan, ...]
    data_dir: Path | None

    @property
    def scoring(self) -> ScoringProtocol:
        return self.plans[0].protocol

    @property
    def board(self) -> BoardRequest:
        """What a board of this track is made from."""
        metrics = {metric.name: metric.info for plan in self.plans[:1] for metric in plan.metrics}
        return BoardRequest(
            track=self.track, training=self.training, scoring=self.scoring,
            headline=metrics[self.track.headline], metrics=tuple(metrics.values()),
        )  # fmt: skip


def resolve(
    track: Track,
    registry: Registry,
    *,
    data_dir: Path | None = None,
    weights: Path | None = None,
    metrics: str | None = None,
    extractors: str | None = None,
    against: str = "test",
    device_kind: str = "",
) -> Protocols:
    """Load what a track names and check it; `RequestError` says what is wrong.

    `metrics` (``standard,vendi``) are columns asked for beside those that the track ranks and shows; `extractors` are
    names or files, joined by commas, whose scores are columns of their own. `weights` are those of the one extractor
    that is asked for, else of the track's own. `device_kind` counts where the budget is
    time.
    """
    if weights is not None and not weights.is_file():
        raise RequestError(f"--weights {weights}: there is no such file")
    dataset = load_dataset(track.dataset, registry, data_dir)
    shown = dataset.validation if against == "test" else dataset.test
    for what, wanted, split in (("samples", track.samples, shown), ("curve_samples", track.curve_samples, shown)):
        if wanted > len(split):
            raise RequestError(
                f"track {track.name!r}: {what} = {wanted}, but {track.dataset} has {len(split)} images for it"
            )
    training = TrainingProtocol(
        dataset=dataset.name, train_sha256=dataset.train_sha256, shape=dataset.shape, classes=dataset.classes,
        n=len(dataset.train), budget=str(Budget.parse(track.budget)), precision=track.precision,
        device=device_kind if Budget.parse(track.budget).seconds is not None else "",
    )  # fmt: skip
    names = _names(extractors)
    if weights is not None and len(names) > 1:
        raise RequestError(f"--weights {weights}: is one file, and --extractor names {len(names)}: name one of them")
    own_weights, other_weights = (None, weights) if names else (weights, None)
    extractor, own_weights = by_file(track.extractor, own_weights)
    assert extractor is not None
    own = _plan(track, dataset, extractor, own_weights, _columns(track, metrics, registry), registry, against)
    headline = next(metric for metric in own.metrics if metric.name == track.headline)
    if headline.direction != "lower":
        raise RequestError(f"track {track.name!r}: headline {track.headline!r}: choose one for which lower is better")
    others = [_other(track, dataset, name, other_weights, own, metrics, registry, against) for name in names]
    return Protocols(track, dataset, training, (own, *(plan for plan in others if plan is not None)), data_dir)


def board_request(
    name: str,
    *,
    budget: str | None = None,
    precision: str | None = None,
    against: str = "test",
    data_dir: Path | None = None,
    weights: Path | None = None,
) -> BoardRequest:
    """Return what a board of a track, by its name or file, is made from."""
    registry = discover()
    track = find_track(name, registry).with_budget(budget).with_precision(precision)  # type: ignore[arg-type]
    return resolve(track, registry, data_dir=data_dir, weights=weights, against=against).board


def _columns(track: Track, asked: str | None, registry: Registry) -> tuple[Metric, ...]:
    """Return the track's metrics, and those asked for that are not among them."""
    names = dict.fromkeys((*track.metrics, *(read_metrics(asked, track, registry) if asked is not None else ())))
    return tuple(find_metrics(names, registry))


def _names(text: str | None) -> list[str]:
    """Read ``--extractor``: names or files, joined by commas."""
    names = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(names):
        raise RequestError(f"--extractor {text!r}: an empty name: `ganbench extractors` lists what there is")
    return names


def _plan(
    track: Track, dataset: Dataset, extractor: str, weights: Path | None, metrics: tuple[Metric, ...],
    registry: Registry, against: str,
) -> ScorePlan:  # fmt: skip
    entry = registry.get("extractors", extractor)
    source: ExtractorSource = entry.thing
    source.check(track.dataset, dataset.shape)
    protocol = ScoringProtocol(
        dataset=track.dataset, split="test" if against == "test" else "validation",
        reference_sha256=dataset.reference_sha256(against), train_sha256=dataset.train_sha256,
        extractor=extractor, extractor_sha256=source.identity(weights), samples=track.samples,
        curve_samples=track.curve_samples, classifier_steps=track.classifier_steps,
        classifier_seeds=track.classifier_seeds,
    )  # fmt: skip
    named = [("extractors", entry), ("datasets", registry.get("datasets", track.dataset))]
    named += [("metrics", registry.get("metrics", metric.name)) for metric in metrics]
    items = tuple((kind, each.name, entry_point_of(each)) for kind, each in named)
    return ScorePlan(protocol, metrics, weights, items)


def _other(
    track: Track,
    dataset: Dataset,
    asked: str,
    weights: Path | None,
    own: ScorePlan,
    metrics: str | None,
    registry: Registry,
    against: str,
) -> ScorePlan | None:
    """Return the plan for an extractor beside the track's, None where it is the track's."""
    name, weights = by_file(asked, weights)
    assert name is not None
    wanted = own.metrics if metrics is None else tuple(find_metrics(read_metrics(metrics, track, registry), registry))
    wanted = tuple(each for each in wanted if not WITHOUT_FEATURES & set(each.needs))
    plan = _plan(track, dataset, name, weights, wanted, registry, against)
    return None if plan.protocol.key == own.protocol.key else plan
