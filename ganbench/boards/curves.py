"""Quality over budget as a picture: the headline metric over images seen and over training seconds."""

from __future__ import annotations

import io
import math
import statistics
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.entries import Entry
from ganbench.boards.formatting import name
from ganbench.util.atomic_io import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by every eye, and a brown for their yellow, which is faint on white; markers for
# prints without colour
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C564B")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MOST = 8
"""Models that are drawn: more lines are told apart by nobody."""
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_AXES = (("images", "images seen"), ("seconds", "training seconds"))


@dataclass(frozen=True)
class Point:
    """Where a model was at one share of the budget: the geometric mean over seeds, the least and the most."""

    x: float
    mean: float
    low: float
    high: float


def points(row: Row, axis: str, n: int) -> list[Point]:
    """Return the curve of a row over `axis`, ``images`` or ``seconds``, from the points scored on `n` samples.

    Seeds are matched share by share of the budget, the last with the last: a small budget may skip early shares.
    """
    curves = [found for entry in row.ok if (found := _usable(entry, row.ranked_by, axis, n))]
    shares = min(map(len, curves), default=0)
    drawn = []
    for share in range(-shares, 0):
        xs, ys = zip(*(curve[share] for curve in curves), strict=True)
        drawn.append(Point(statistics.fmean(xs), statistics.geometric_mean(ys), min(ys), max(ys)))
    return drawn


def _usable(entry: Entry, metric: str, axis: str, n: int) -> list[tuple[float, float]]:
    """Return what log axes can show and `n` makes comparable: FID on fewer samples is larger for the same model."""
    scores = {at.images: at.metrics for at in entry.score.curve if at.n == n} if entry.score else {}
    pairs = [(float(getattr(at, axis)), scores.get(at.images, {}).get(metric, math.nan)) for at in entry.run.curve]
    return [(x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y) and x > 0 and y > 0]


def chosen(board: Board) -> tuple[list[Row], list[Row]]:
    """Return the models whose curves are drawn, the best in the order of the board, and the others that have one."""
    n = board.request.scoring.curve_samples
    rows = [ranked.row for ranked in board.models if points(ranked.row, "images", n)]
    return rows[:MOST], rows[MOST:]


def draw_curves(board: Board, folder: Path, beside: str = "png") -> bool:
    """Draw the curves of the best models as ``curves.png``, and as ``svg`` or ``pdf`` `beside` it.

    False, and no picture, where no model has a curve. A picture in a format that was not asked for is removed, since it
    would show an older board.
    """
    rows, _ = chosen(board)
    wanted = {"png", beside} if rows else set()
    for form in {"png", "svg", "pdf"} - wanted:
        (folder / f"curves.{form}").unlink(missing_ok=True)
    if rows:
        figure = _figure(board, rows)
        for form in sorted(wanted):
            _save(figure, folder / f"curves.{form}", form)
    return bool(rows)


def _figure(board: Board, rows: Sequence[Row]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n = board.request.scoring.curve_samples
    figure = Figure(figsize=(11, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, (axis, title) in zip((left, right), _AXES, strict=True):
        for index, row in enumerate(rows):
            _draw(axes, row, points(row, axis, n), index)
        _mark(axes, board)
        _dress(axes, title)
    headline = board.headline
    left.set_ylabel(f"{headline.title}{headline.arrow}  (n = {n:,}; band: all seeds)")
    handles, labels = left.get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a label may hold a dollar sign
    return figure


def _save(figure: Figure, path: Path, form: str) -> None:
    """Write a picture whose bytes depend on the board alone: no date, no random names, no version."""
    import matplotlib

    stream = io.BytesIO()
    # A label in a script that the font lacks is drawn as boxes; type 42 is a font that journals take.
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "ganbench", "pdf.fonttype": 42}):
        warnings.filterwarnings("ignore", "Glyph")
        figure.savefig(stream, format=form, metadata=_METADATA[form])
    atomic_write(path, lambda file: file.write(stream.getvalue()))


def _draw(axes: Axes, row: Row, curve: list[Point], index: int) -> None:
    colour, marker = _COLOURS[index % len(_COLOURS)], _MARKERS[index % len(_MARKERS)]
    xs = [point.x for point in curve]
    axes.fill_between(xs, [at.low for at in curve], [at.high for at in curve], color=colour, alpha=0.18, linewidth=0)
    label = f" {name(row, 32)}"  # matplotlib leaves out of a legend what begins with an underscore
    axes.plot(xs, [at.mean for at in curve], color=colour, marker=marker, markersize=4.5, linewidth=1.8, label=label)


def _mark(axes: Axes, board: Board) -> None:
    """Draw the ceiling and the floor, which are not trained and so have no curve, at their final values."""
    for role, style in (("ceiling", (0, (6, 3))), ("floor", (0, (2, 2)))):
        for ranked in board.rows:
            found = ranked.row.headline
            if ranked.row.role == role and found and found.mean > 0:
                label = f" {name(ranked.row, 32)}, n = {ranked.row.samples:,}"
                axes.axhline(found.mean, color="#666666", linestyle=style, linewidth=1.3, label=label)


def _dress(axes: Axes, title: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xlabel(title)
    for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        scale("log")
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(True, color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _tick(value: float) -> str:
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"
