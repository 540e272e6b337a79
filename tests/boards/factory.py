"""Runs with their scores for tests of boards, as a training worker and a scorer would leave them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from ganbench.boards.aggregate import Row, aggregate
from ganbench.boards.board import Board, BoardRequest, build_board
from ganbench.boards.entries import Entry, columns_of
from ganbench.metric import HEADLINE, MetricInfo
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.score_record import ScoreRecord, ScoringProtocol
from ganbench.store.store import Store
from ganbench.tracks.track import Track
from tests.store.factory import PROVENANCE, protocol, put, run_record, score_record, spec, training


def _share(name: str, title: str) -> MetricInfo:
    return MetricInfo(name=name, title=title, direction="higher", low=0, high=1, meaning=name, source="x")


METRICS = {
    metric.name: metric
    for metric in (
        HEADLINE,
        MetricInfo(name="is", title="IS", direction="higher", low=1, digits=2, meaning="Inception Score", source="x"),
        *(_share("precision", "P"), _share("recall", "R"), _share("authenticity", "auth")),
        MetricInfo(name="density", title="D", direction="higher", meaning="density", source="arXiv:2002.09797"),
        *(_share("cas", "CAS"), _share("cas_oracle", "CAS*")),
    )
}
TRACK = Track(
    name="tiny-quick", version=1, summary="Small digits, soon done", dataset="digits", budget="8kimg", seeds=3,
    samples=1000, curve_points=4, curve_samples=500, extractor="lenet-mnist", classifier_steps=300,
    metrics=tuple(METRICS),
)  # fmt: skip
REQUEST = BoardRequest(TRACK, training(), protocol(), HEADLINE, tuple(METRICS.values()))


class Made(NamedTuple):
    """A run and its scores."""

    record: RunRecord
    scores: list[ScoreRecord]

    @property
    def key(self) -> str:
        return self.record.key


def make(
    label: str = "tiny",
    index: int = 0,
    fid: float = 20.0,
    *,
    role: str = "model",
    status: RunStatus = RunStatus.OK,
    reason: str = "",
    source: str = "ab" * 32,
    day: int = 1,
    scored: bool = True,
    under: ScoringProtocol | None = None,
    versions: Mapping[str, int] | None = None,
    skipped: Mapping[str, str] | None = None,
    n: int = 1000,
    curve: bool = False,
    asked: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    **scores: float,
) -> Made:
    """Return a run with FID, IS and authenticity; `scores` are metrics beside, and a failed run has none.

    `asked` changes the training protocol and the model, `record` the run's record.
    """
    wanted = spec(label, index, role=role, source=source, **dict(asked or {}))
    changes: dict[str, Any] = {"seconds": {"load": 0.5, "train": 12.0 + index, "sample": 0.4, "total": 16.0}}
    if role != "model":
        changes |= {"images_per_second": 0.0, "curve": []}
    run = run_record(
        wanted, status=status, points=4 if curve else 0, day=day, **changes | {"reason": reason} | dict(record or {})
    )
    values = {"fid": fid, "is": 8.0, "authenticity": 0.9, **scores}
    found = score_record(run, under, versions=versions, skipped=skipped, changes={"n": n}, **values)
    # the factory lets all values grow towards a curve's beginning, shares beyond 1 among them
    points = [point.model_copy(update={"metrics": {"fid": point.metrics["fid"]}}) for point in found.curve]
    found = found.model_copy(update={"curve": points})
    return Made(run, [found] if scored and status is RunStatus.OK else [])


def seeds(label: str, fids: Sequence[float], **more: Any) -> list[Made]:
    """Return one run a seed."""
    return [make(label, index, fid, **more) for index, fid in enumerate(fids)]


def full() -> list[Made]:
    """Return what a board with everything on it is made from."""
    sampler = {"model": {"sampler": "dcgan's latent"}}
    return [
        make("real", 0, 2.0, role="ceiling", cas=0.98, cas_oracle=0.97, authenticity=0.8),
        *seeds("dcgan", (19.0, 20.0, 21.5), curve=True, cas_oracle=0.95, asked=sampler),
        *seeds("vae[latent_dim=64]", (20.0, 22.0, 23.0), curve=True, cas=0.9),
        *seeds("vanilla", (80.0, 85.0, 90.0), curve=True),
        make("lone", 0, 50.0, curve=True),
        make("vanilla", 3, status=RunStatus.DIVERGED, reason="loss is NaN at step 70"),
        make("replay", 0, 1.6, role="memoriser", authenticity=0.0),
        make("noise", 0, 905.0, role="floor", authenticity=1.0),
        *(make("broken", at, status=RunStatus.OOM, reason="out of memory at 9 GiB") for at in range(3)),
    ]


def write(root: Path, made: Iterable[Made], *, pictures: bool = False) -> None:
    """Put runs into a store, each with a small sample grid, where that is asked for, whose grey tells the seed."""
    for each in made:
        folder = put(root, each.record, each.scores)
        if pictures and each.record.status is RunStatus.OK:
            grey = 60 + 50 * each.record.spec.seed_index
            image = Image.effect_noise((280, 140), 60).point(lambda value, g=grey: (value + g) // 2)  # type: ignore[misc]
            image.save(folder / "samples.png")


def board(root: Path, made: Iterable[Made] = (), *, request: BoardRequest = REQUEST, **more: Any) -> Board:
    """Put runs into a store and return its board."""
    write(root, made)
    return build_board(request, [Store(root)], **more)


def rows(made: Iterable[Made]) -> list[Row]:
    """Return rows without a store: all that was made is shown."""
    entries = [Entry(each.record, Path(each.key), each.scores[0] if each.scores else None) for each in made]
    return aggregate(entries, columns_of(entries, REQUEST.metrics), REQUEST)


def labels(found: Board) -> list[str]:
    """Return labels in the order of rows."""
    return [each.row.label for each in found.rows]


__all__ = [
    "METRICS",
    "PROVENANCE",
    "REQUEST",
    "TRACK",
    "Made",
    "board",
    "full",
    "labels",
    "make",
    "rows",
    "seeds",
    "write",
]
