"""What a report says of one model: its hyper-parameters, scores, costs, samples and runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.costs import COSTS
from ganbench.boards.entries import Entry
from ganbench.boards.formatting import BLANK, interval, metric_value, name
from ganbench.boards.rank import Ranked
from ganbench.data.dataset import Dataset
from ganbench.report.board_data import meaning
from ganbench.report.board_page import Meaning
from ganbench.report.links import row_slug
from ganbench.report.pictures import Picture, Shelf, beside_nearest, read_picture
from ganbench.report.run_data import RunSection, run_section
from ganbench.report.stages import Stage, of_points, stages
from ganbench.store.layout import SAMPLES_PICTURE, TRAINING_PICTURE
from ganbench.util.text import one_line

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
VALUE = 200


@dataclass(frozen=True)
class Scored:
    """A metric of a model: what it means, mean with interval, and the value of every seed (a dash where it failed)."""

    meaning: Meaning
    said: str
    seeds: tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter, and whether it was set to something else than its default."""

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class ModelPage:
    """Everything on the page of a model."""

    label: str
    slug: str
    family: str
    role: str
    rank: str
    headline: str
    of: int
    flags: tuple[str, ...]
    failures: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    paper: str
    parameters: tuple[Parameter, ...]
    seeds: tuple[int, ...]
    metrics: tuple[Scored, ...]
    costs: tuple[tuple[str, str], ...]
    picture: Picture | None
    training: Picture | None
    stages: tuple[Stage, ...]
    of_points: bool
    nearest_said: str
    runs: tuple[RunSection, ...]


def arxiv(text: str) -> str:
    """Return the address of an arXiv paper; empty for anything else, which is not to become a link."""
    match = ARXIV.fullmatch(text)
    return f"https://arxiv.org/abs/{match[1]}" if match else ""


def model_page(board: Board, ranked: Ranked, dataset: Dataset | None, shelf: Shelf) -> ModelPage:
    """Return what the page of a row shows; its pictures are put on the shelf."""
    row = ranked.row
    slug, info = row_slug(row), row.info
    sections = [_section(board, row, entry, dataset, shelf) for entry in row.entries]
    first = row.ok[0] if row.ok else None
    return ModelPage(
        label=name(row),
        slug=slug,
        family=one_line(row.family, 30),
        role=row.role,
        rank=ranked.rank,
        headline=f"{board.headline.title} {interval(row.headline, board.headline)}" if row.headline else "",
        of=sum(each.best is not None for each in board.rows),
        flags=tuple(one_line(flag, 400) for flag in row.flags),
        failures=tuple(one_line(str(failure), 400) for failure in row.failures),
        facts=tuple((what, one_line(said, VALUE)) for what, said in (
            ("checked", row.checked.meaning if row.checked else ""),
            ("version", info.version), ("from", info.distribution), ("class", row.entries[0].run.spec.import_path),
            ("samples are decoded from", info.sampler), ("uses labels", "yes" if info.conditional else ""),
            ("tuned", str(row.tuning) if row.tuning else ""), ("source", info.source[:12]),
        ) if said),
        paper=one_line(info.paper, 120),
        parameters=tuple(_parameters(row)),
        seeds=tuple(entry.seed_index for entry in row.entries),
        metrics=tuple(_metrics(board, row)),
        costs=tuple((cost.title, cost.text(value)) for cost in COSTS
                    if (value := getattr(row, cost.name)) is not None),
        picture=run_picture(shelf, first) if first else None,
        training=run_picture(shelf, first, TRAINING_PICTURE) if first else None,
        stages=tuple(stages(first, board.headline, dataset, slug, shelf)) if first else (),
        of_points=first is not None and of_points(first),
        nearest_said=_nearest_said(row, dataset, sections),
        runs=tuple(sections),
    )  # fmt: skip


def run_picture(shelf: Shelf, entry: Entry, file: str = SAMPLES_PICTURE) -> Picture | None:
    """Return a picture that lies in a run's folder: of its samples, or of its training where it drew points."""
    folder = "samples" if file == SAMPLES_PICTURE else "training"
    return shelf.put(f"{folder}/{entry.run.key}.png", lambda: read_picture(entry.folder / file))


def _section(board: Board, row: Row, entry: Entry, dataset: Dataset | None, shelf: Shelf) -> RunSection:
    key = entry.run.key
    found = {
        "samples": run_picture(shelf, entry),
        "training": run_picture(shelf, entry, TRAINING_PICTURE),
        "nearest": shelf.put(f"nearest/{key}.png", lambda: beside_nearest(entry, dataset)),
    }
    pictures = {what: picture for what, picture in found.items() if picture is not None}
    names = dataset.class_names if dataset else ()
    return run_section(row, entry, board.headline, pictures, names)


def _nearest_said(row: Row, dataset: Dataset | None, sections: Sequence[RunSection]) -> str:
    if any(section.nearest for section in sections) or not row.ok or len(row.ok[0].run.spec.training.shape) != 3:
        return ""
    if dataset is None:
        return "Nearest training images are not shown: the data set is not at hand without a download."
    return "Nearest training images are not shown: the samples themselves are no longer in the runs' folders."


def _parameters(row: Row) -> list[Parameter]:
    """Return hyper-parameters; a label names, in brackets, those that differ from their defaults."""
    config = row.entries[0].run.spec.config
    inside = row.label.partition("[")[2]
    return [
        Parameter(one_line(each, 80), one_line(value if isinstance(value, str) else json.dumps(value), VALUE),
                  re.search(rf"(^|,){re.escape(each)}=", inside) is not None)
        for each, value in config.items()
    ]  # fmt: skip


def _metrics(board: Board, row: Row) -> list[Scored]:
    found = []
    for column in board.columns:
        if (estimate := row.metrics.get(column.name)) is not None:
            seeds = tuple(
                metric_value(entry.metrics[column.name].value, column.info) if column.name in entry.metrics else BLANK
                for entry in row.entries
            )
            found.append(Scored(meaning(column), interval(estimate, column.info), seeds))
    return found
