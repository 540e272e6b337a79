"""The page of a board as its template sees it; `board_data` fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from ganbench.report.charts import Front, Series
from ganbench.report.comparison import Cell
from ganbench.report.pictures import Picture


@dataclass(frozen=True)
class Heading:
    """A column: its name in the CSV, its title, whether less or more is better, and whether it is shown at first."""

    key: str
    title: str
    kind: str
    better: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Value:
    """A number in the table: as it is shown, as it stands in the CSV, and what a pointer over it tells.

    `more` holds the interval, then every seed's value: ``23.4,29.1;25.0;26.2`` where all seeds from 0 on have one,
    else with their indices: ``23.4,29.1;0 25.0;3 26.2``.
    """

    text: str
    value: str
    aside: str = ""
    more: str = ""


@dataclass(frozen=True)
class TableRow:
    """A row: where it stands, who it is, and its numbers in the order of the headings."""

    index: int
    rank: str
    label: str
    href: str
    family: str
    role: str
    published: bool
    forest: Markup
    values: tuple[Value, ...]
    runs: str
    note: str
    style: str


@dataclass(frozen=True)
class Sample:
    """A sample grid under its name."""

    index: int
    label: str
    href: str
    value: str
    picture: Picture | None
    training: Picture | None
    family: str


@dataclass(frozen=True)
class Comparison:
    """The two models that are compared at first, by their indices, and what is said of them."""

    first: int
    second: int
    head: str
    said: str


@dataclass(frozen=True)
class FailedRow:
    """Runs of a model that ended alike."""

    label: str
    href: str
    said: str


@dataclass(frozen=True)
class Meaning:
    """What a column means, and where it comes from."""

    title: str
    key: str
    limits: str
    meaning: str
    source: str


@dataclass(frozen=True)
class BoardPage:
    """Everything on the page of a board."""

    name: str
    dataset: str
    budget: str
    summary: str
    headline: str
    first_place: str
    joint: bool
    models: int
    headings: tuple[Heading, ...]
    rows: tuple[TableRow, ...]
    families: tuple[str, ...]
    compared: Comparison | None
    samples: tuple[Sample, ...]
    series: tuple[Series, ...]
    curves: tuple[Markup, ...]
    curve_samples: int
    fronts: tuple[Front, ...]
    matrix: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    alone: tuple[str, ...]
    failures: tuple[FailedRow, ...]
    absent: tuple[str, ...]
    meanings: tuple[Meaning, ...]
    reading: str
    caption: tuple[tuple[str, str], ...]
    data: Mapping[str, object]
