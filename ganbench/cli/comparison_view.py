"""How a comparison of two rows reads on a terminal of 80 columns, or on a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from ganbench.boards.compare import MetricComparison, RowComparison, Wins
from ganbench.boards.compare_curves import EqualPoint
from ganbench.boards.compare_text import (
    UNCORRECTED,
    advice,
    change,
    describe,
    percent,
    ratio,
    sentence,
    short_percent,
    value,
)
from ganbench.boards.costs import COSTS
from ganbench.boards.formatting import BLANK, metric_value
from ganbench.cli.table_printer import print_line, print_table
from ganbench.metric import MetricInfo


def show_rows(found: RowComparison) -> None:
    """Print a comparison of two rows."""
    request = found.request
    print_line(sentence(found))
    click.echo()
    for letter, row in zip("AB", found.sides, strict=True):
        print_line(f"{letter} = {describe(row)}")
    budget = f"{request.training.budget} a run, {request.training.precision}"
    click.echo(f"board {request.name}: {budget}, against the {request.scoring.split} split")
    click.echo()
    for what, said in _how_sure(found):
        click.echo(f"{what:<36}{said}")
    print_line(f"more seeds to tell them apart: {advice(found)}")
    click.echo()
    _show_metrics(found)
    _show_curves(found)
    click.echo()
    costs = [(cost.meaning, *(cost.text(getattr(row, cost.name)) for row in found.sides)) for cost in COSTS]
    print_table("costs, means over runs", ("", "A", "B"), costs, fold=("",))
    notes = [
        f"{letter}: {note}"
        for letter, row in zip("AB", found.sides, strict=True)
        for note in (*row.flags, *map(str, row.failures))
    ]
    if notes:
        click.echo("\nfailures and flags")
        for note in notes:
            print_line(note)


def _how_sure(found: RowComparison) -> Iterable[tuple[str, str]]:
    headline = found.headline
    chances = (headline.probability_better, found.probability_next_better)
    unknown = "not known" if headline.a is None or headline.b is None else "not known from one seed"
    better, following = (unknown if chance is None else percent(chance) for chance in chances)
    yield "A is better on average", better
    yield "the next seed of A beats B's next", following
    kind = "A / B" if headline.ratio else "A - B"
    yield f"{headline.column.title}, {kind} [95 % interval]", change(headline)
    yield "raw wins of A, same seed", _won(found.same_seed)
    yield "raw wins of A, all pairs", _won(found.all_pairs)


def _won(wins: Wins) -> str:
    ties = f", {wins.ties} equal" if wins.ties else ""
    return f"{wins.a} of {wins.pairs}{ties}" if wins.pairs else "no pair"


def _show_metrics(found: RowComparison) -> None:
    rows = [_metric(each, each.column.info) for each in found.metrics]
    heading = "means over seeds, 95 % intervals, and how sure it is that A is better"
    print_table(heading, ("metric", "A", "B", "A / B or A - B", "A better"), rows, fold=("metric",))
    print_line("FID and other distances as ratios A / B, all others as differences A - B")
    if any(estimate is not None and estimate.n < 2 for estimate in (found.headline.a, found.headline.b)):
        print_line("one seed: its interval is of the scored images alone")
    print_line(UNCORRECTED)


def _metric(each: MetricComparison, info: MetricInfo) -> tuple[str, ...]:
    cells = value(each.a, info), value(each.b, info), change(each), short_percent(each.probability_better)
    return each.column.title + info.arrow, *cells


def _show_curves(found: RowComparison) -> None:
    if not found.at_images:
        click.echo(f"\nno curves of {found.headline.column.title} to compare: a side has none")
        return
    for axis, points in (("images", found.at_images), ("seconds", found.at_seconds)):
        click.echo()
        _show_curve(found, axis, points)
    print_line("~: interpolated between measured points, over log images or log seconds; never beyond them")
    if not found.same_machine:
        print_line("A and B were trained on different machines: their seconds do not compare")


def _show_curve(found: RowComparison, axis: str, points: Sequence[EqualPoint]) -> None:
    info, n = found.headline.column.info, found.request.scoring.curve_samples

    def said(y: float | None, measured: bool) -> str:
        return BLANK if y is None else ("" if measured else "~") + metric_value(y, info)

    rows = [
        (
            f"{at.at:,.0f}" if axis == "images" else f"{at.at:,.1f}", said(at.a, at.a_measured),
            said(at.b, at.b_measured), BLANK if at.ratio is None else ratio(at.ratio),
        )
        for at in points
    ]  # fmt: skip
    what = "images seen" if axis == "images" else "training seconds"
    print_table(f"{info.title} at equal {what}, n = {n:,} samples", (axis, "A", "B", "A / B"), rows)
