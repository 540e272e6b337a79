"""What must hold for every track: it reads back, everything that it names is there, and its budget holds a curve."""

from __future__ import annotations

import tempfile
from functools import cached_property, partial
from pathlib import Path

from ganbench.budget import Budget
from ganbench.experiment.protocols import Protocols, resolve
from ganbench.metric import STANDARD
from ganbench.model import BATCH_SIZE
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registry
from ganbench.testing.check import Check, require
from ganbench.tracks.track import Track, read_track

STEPS = 5
"""Steps that a model is to have made by the first point of a curve."""


class TrackCase:
    """A track under test, or the path of its ``.toml`` file, with the registry that its names are looked up in."""

    def __init__(
        self, track: Track | str | Path, registry: Registry | None = None, data_dir: Path | None = None
    ) -> None:
        self.given, self.data_dir, self.calling = track, data_dir, ""
        self.name = track.name if isinstance(track, Track) else Path(track).stem
        self._registry = registry

    @cached_property
    def registry(self) -> Registry:
        return self._registry or discover()

    @cached_property
    def track(self) -> Track:
        return self.given if isinstance(self.given, Track) else read_track(Path(self.given))

    @cached_property
    def protocols(self) -> Protocols:
        return resolve(self.track, self.registry, data_dir=self.data_dir)


_check = partial(Check, TrackCase)


@_check
def reads_back(case: TrackCase) -> None:
    """Its file can be read, and what `ganbench tracks show` prints of it is the same track."""
    track = case.track
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy.toml")
        copy.write_text(track.toml())
        assert read_track(copy) == track, f"{case.name}: written as a .toml file and read again it is another track"
    assert track.summary.strip(), f"{case.name}: summary is empty: `ganbench tracks` shows it"


@_check
def names_what_exists(case: TrackCase) -> None:
    """Data set, extractor and metrics are there and go together; the data set has images enough for its samples."""
    assert case.protocols


@_check
def has_metrics_that_apply(case: TrackCase) -> None:
    """No metric beside the standard ones needs what the data set or the extractor lacks: it would be blank."""
    dataset, plan = case.protocols.dataset, case.protocols.plans[0]
    source = case.registry.get("extractors", plan.protocol.extractor).thing
    classes = source.classes_of(plan.weights)
    there = {
        "probabilities": classes > 0,
        "oracle": 0 < classes == dataset.classes,
        "labels": dataset.classes > 0,
        "classifier": dataset.classes > 0 and len(dataset.shape) == 3,
        "modes": dataset.modes is not None,
    }
    for metric in (each for each in plan.metrics if each.name not in STANDARD):
        if lacking := [need for need in metric.needs if not there.get(need, True)]:
            raise AssertionError(
                f"{case.name}: metric {metric.name!r} needs {', '.join(lacking)}, which {dataset.name} with"
                f" {source.name} has not: leave it out of metrics"
            )


@_check
def has_a_budget_for_its_curve(case: TrackCase) -> None:
    """By the first point of its curve, models have made five steps of 64 images, if the budget says how many they make.

    Points of the curve lie at halving shares of the budget.
    """
    track, budget = case.track, Budget.parse(case.track.budget)
    share = 0.5 ** (track.curve_points - 1)
    counts = {
        "images": (budget.images, STEPS * BATCH_SIZE), "steps": (budget.steps, STEPS),
        "seconds": (budget.seconds, 1.0),
    }  # fmt: skip
    for unit, (limit, least) in counts.items():
        reached = None if limit is None else limit * share
        assert reached is None or reached >= least, (
            f"{case.name}: the first of {track.curve_points} curve points comes after {reached:.0f} {unit}, fewer than"
            f" {least:g}: lower curve_points or raise budget"
        )
    assert track.curve_samples <= track.samples, (
        f"{case.name}: curve_samples = {track.curve_samples} is above samples = {track.samples}: the curve's last"
        " point is scored on the final samples"
    )


TRACK_CHECKS = (reads_back, names_what_exists, has_metrics_that_apply, has_a_budget_for_its_curve)


def check_track(track: Track | str | Path, registry: Registry | None = None, data_dir: Path | None = None) -> None:
    """Run every check on a track, or the path of its file. Raises AssertionError, with a line for each broken rule.

    Names are looked up in `registry`, by default in what is installed.
    """
    require(TRACK_CHECKS, TrackCase(track, registry, data_dir))
