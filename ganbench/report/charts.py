"""The charts of a report: quality over budget, quality over cost, losses, intervals in a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from ganbench.boards.board import Board
from ganbench.boards.costs import COSTS, Cost
from ganbench.boards.curves import Point, points
from ganbench.boards.formatting import interval, name
from ganbench.boards.rank import Ranked
from ganbench.report import svg
from ganbench.store.run_record import RunRecord

AXES = (("images", "images seen"), ("seconds", "training seconds"), ("flops", "training FLOPs"))
"""What a curve is drawn over, where records have it."""
PARETO = ("train_seconds", "parameters", "peak_memory_mib", "flops")
"""Costs, by the name of their `Row`'s field, that quality is drawn over, in this order."""
VISIBLE = 8
"""Models whose curves are drawn at first: so many lines an eye can follow."""
COLOURS, DASHES = 7, 4
FAR = 1.5
"""How many times the largest value a floor may be and still be drawn."""
NAMED = 8
"""Models of a front that are named beside their points."""


@dataclass(frozen=True)
class Series:
    """A row as charts show it: its index on the board, its name, its page, its colour and dashes."""

    index: int
    label: str
    href: str
    ranked: Ranked
    style: str
    value: str
    visible: bool


def all_series(board: Board, links: Mapping[int, str]) -> list[Series]:
    """Return the models that have a headline value, in the order of the board; `links` are their pages by index."""
    found: list[Series] = []
    for index, ranked in enumerate(board.rows):
        if ranked.row.role == "model" and ranked.row.headline:
            at = len(found)
            found.append(Series(
                index, name(ranked.row), links.get(index, ""), ranked, _style(at),
                interval(ranked.row.headline, board.headline), at < VISIBLE,
            ))  # fmt: skip
    return found


def _style(at: int) -> str:
    """Return the classes of the colour and the dashes of the line at this place of the legend."""
    dashes = at // COLOURS % DASHES
    return f"s{at % COLOURS} d{dashes}" if dashes else f"s{at % COLOURS}"


def curves(board: Board, series: Sequence[Series]) -> list[Markup]:
    """Return the headline metric over each axis that records have: the mean over seeds, and a band of all of them."""
    n = board.request.scoring.curve_samples
    found = []
    for axis, title in AXES:
        drawn = [(each, curve) for each in series if (curve := curve_of(each, axis, n))]
        if drawn:
            found.append(_curves(board, drawn, title))
    return found


def curve_of(each: Series, axis: str, n: int) -> list[Point]:
    """Return a row's curve. Operations are spent evenly over images, for all steps are alike."""
    row = each.ranked.row
    if axis != "flops":
        return points(row, axis, n)
    images = [entry.run.images for entry in row.ok]
    if row.flops is None or not sum(images):
        return []
    an_image = row.flops * len(images) / sum(images)
    return [replace(point, x=point.x * an_image) for point in points(row, "images", n)]


def _curves(board: Board, drawn: Sequence[tuple[Series, list[Point]]], title: str) -> Markup:
    marks = [
        (ranked.row.role, ranked.row.headline.mean, name(ranked.row))
        for ranked in board.rows
        if ranked.row.role in ("ceiling", "floor") and ranked.row.headline and ranked.row.headline.mean > 0
    ]
    spread = [value for _, curve in drawn for at in curve for value in (at.low, at.high)]
    # a floor far above every curve would squeeze them all
    marks = [mark for mark in marks if mark[0] == "ceiling" or mark[1] < FAR * max(spread)]
    x = svg.across(at.x for _, curve in drawn for at in curve)
    y = svg.upwards(spread + [mean for _, mean, _ in marks])
    content = [svg.frame(x, y, title, board.headline.title + board.headline.arrow)]
    for role, mean, label in marks:
        content.append(Markup('<g class="{0}"><path d="M{1} {2}H{3}"/><text x="{3}" y="{2}" dy="-4" class="end">{4}'
                              "</text></g>").format(
            role, svg.LEFT, svg.place(y(mean)), svg.WIDTH - svg.RIGHT, label))  # fmt: skip
    for each, curve in reversed(drawn):  # the best on top
        places = [(x(at.x), y(at.mean)) for at in curve]
        corners = [(at.x, at.high) for at in curve] + [(at.x, at.low) for at in reversed(curve)]
        band = [(round(x(across)), round(y(value))) for across, value in corners]
        content.append(
            Markup(
                '<g class="{0}{1}" data-m="{2}"><path class="band" d="{3}Z"/><path class="line" d="{4}"/></g>'
            ).format(each.style, "" if each.visible else " off", each.index, svg.line(band), svg.line(places))
        )
    return svg.chart(content, f"{board.headline.title} over {title}, a line for each model")


@dataclass(frozen=True)
class Front:
    """The chart of one cost, the names of the models on its front from the cheapest on, and who has no such cost."""

    key: str
    title: str
    picture: Markup
    front: tuple[str, ...]
    lacking: int


def fronts(board: Board, series: Sequence[Series]) -> list[Front]:
    """Return the headline metric over each cost that at least one model has, with its Pareto front."""
    costs = {cost.name: cost for cost in COSTS}
    return [front for name in PARETO if (front := _front(board, series, costs[name]))]


def _front(board: Board, series: Sequence[Series], cost: Cost) -> Front | None:
    known = [
        (value, each.ranked.row.headline.mean, each)
        for each in series
        if (value := getattr(each.ranked.row, cost.name)) and value > 0 and each.ranked.row.headline
        and each.ranked.row.headline.mean > 0
    ]  # fmt: skip
    if not known:
        return None
    best, least = [], math.inf
    for value, mean, each in sorted(known, key=lambda found: found[:2]):
        if mean < least:
            least = mean
            best.append((value, mean, each))
    x, y = svg.across(value for value, _, _ in known), svg.upwards(_spread(known))
    content = [svg.frame(x, y, cost.meaning, board.headline.title + board.headline.arrow)]
    steps = [(x(value), y(mean)) for value, mean, _ in best]
    corners = [(right[0], left[1]) for left, right in zip(steps, steps[1:], strict=False)]
    stairs = [place for pair in zip(steps, corners, strict=False) for place in pair] + [steps[-1]]
    content.append(Markup('<path class="stairs" d="{}H{}"/>').format(svg.line(stairs), svg.WIDTH - svg.RIGHT))
    for value, mean, each in known:
        found = each.ranked.row.headline
        assert found is not None
        low, high = (mean if end is None or end <= 0 else end for end in (found.low, found.high))
        spent = cost.text(value)
        said = f"{each.label}: {each.value}; {spent}"
        content.append(Markup(
            '<a href="{0}" class="{1}" data-m="{2}"><title>{3}</title>'
            '<path d="M{4} {5}V{6}"/><circle cx="{4}" cy="{7}" r="5"/></a>'
        ).format(each.href, each.style, each.index, said, svg.place(x(value)), svg.place(y(low)),
                 svg.place(y(high)), svg.place(y(mean))))  # fmt: skip
    content += _names([(x(value), y(mean), each) for value, mean, each in best[:NAMED]])
    label = f"{board.headline.title} over {cost.meaning}, a point for each model; a step line joins the Pareto front"
    names = tuple(each.label for _, _, each in best)
    picture = svg.chart(content, label, interactive=True)
    return Front(cost.name, cost.meaning, picture, names, len(series) - len(known))


def _spread(known: Iterable[tuple[float, float, Series]]) -> list[float]:
    """Return means and the seeds around them: an interval of two seeds may span decades and would squeeze all else."""
    return [value for _, mean, each in known for value in (mean, *_seeds(each.ranked))]


def _names(places: Sequence[tuple[float, float, Series]]) -> list[Markup]:
    """Return names beside points; one that would lie on another is moved down."""
    taken: list[tuple[float, float]] = []
    drawn = []
    for x, y, each in places:
        label = each.label if len(each.label) <= 24 else each.label[:23] + "…"
        right = x > svg.WIDTH * 0.7
        at = y - 8
        while any(abs(at - other) < 12 and abs(x - there) < 90 for there, other in taken):
            at += 12
        taken.append((x, at))
        text = Markup('<text x="{}" y="{}" class="name{}" data-m="{}">{}</text>')
        beside = svg.place(x - 8 if right else x + 8)
        drawn.append(text.format(beside, svg.place(at), " end" if right else "", each.index, label))
    return drawn


@dataclass(frozen=True)
class Loss:
    """A loss in the legend of a run's chart."""

    name: str
    style: str


def losses(run: RunRecord) -> tuple[Markup, list[Loss]] | None:
    """Return the mean losses between the points of a run's curve over images seen, None where there are too few."""
    names = dict.fromkeys(name for point in run.curve for name in point.losses)
    drawn = []
    for loss in names:
        values = [(float(point.images), point.losses[loss]) for point in run.curve if loss in point.losses]
        values = [(images, value) for images, value in values if images > 0 and math.isfinite(value)]
        if len(values) > 1:
            drawn.append((loss, values))
    if not drawn:
        return None
    x = svg.across(images for _, values in drawn for images, _ in values)
    y = svg.linear_scale((value for _, values in drawn for _, value in values), svg.HEIGHT - svg.BOTTOM, svg.TOP)
    content = [svg.frame(x, y, "images seen", "loss")]
    legend = []
    for at, (loss, values) in enumerate(drawn):
        style = _style(at)
        places = [(x(images), y(value)) for images, value in values]
        content.append(Markup('<g class="{}"><title>{}</title><path class="line" d="{}"/><path class="dots" d="{}"/>'
                              "</g>").format(style, loss, svg.line(places), svg.dots(places)))  # fmt: skip
        legend.append(Loss(loss, style))
    return svg.chart(content, f"losses over images seen: {', '.join(names)}"), legend


def forests(board: Board) -> list[Markup]:
    """Return a small picture a row: the mean of the headline metric, its interval, and a tick for every seed.

    The scale is that of the models; what lies beyond it, such as noise, has no picture.
    """
    found = [(ranked.row.headline, _seeds(ranked)) for ranked in board.rows]
    models = [ranked for ranked in board.rows if ranked.row.role == "model" and ranked.row.headline]
    spread = [value for ranked in models for value in _seeds(ranked)]
    if not spread:
        return [Markup("")] * len(found)
    x = svg.log_scale(spread, 3, 117)
    drawn = []
    for estimate, seeds in found:
        if estimate is None or not x.low <= estimate.mean <= x.high:
            drawn.append(Markup(""))
            continue
        low, high = (estimate.mean if end is None or end <= 0 else end for end in (estimate.low, estimate.high))
        ticks = "".join(f"M{svg.place(x(value))} 4v8" for value in sorted(seeds))
        drawn.append(Markup(
            '<svg viewBox="0 0 120 16" class="forest" aria-hidden="true"><path class="seeds" d="{}"/>'
            '<path d="M{} 8H{}"/><circle cx="{}" cy="8" r="3.5"/></svg>'
        ).format(ticks, svg.place(x(low)), svg.place(x(high)), svg.place(x(estimate.mean))))  # fmt: skip
    return drawn


def _seeds(ranked: Ranked) -> list[float]:
    """Return the headline values of a row's seeds, as far as a logarithmic axis can show them."""
    metric = ranked.row.ranked_by
    values = (entry.metrics[metric].value for entry in ranked.row.ok if metric in entry.metrics)
    return [value for value in values if value > 0]
