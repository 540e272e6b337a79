"""Points of the plane as pictures: samples over data, and how they moved during training.

A discriminator's surface lies behind them as contours, where the model has one: a lost mode is seen, and why. Where the
modes of the data are known, each is a circle of three standard deviations, with a cross where the samples do not
capture it; samples inside a circle (of high quality) have another colour than those outside.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganbench.data.dataset import Modes
from ganbench.metrics.mode_counts import REACH, ModeCounts
from ganbench.util.atomic_io import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 500
"""Samples of a snapshot."""
Panel = tuple[int, NDArray[Any], NDArray[Any] | None]
"""Images seen, points float (n, 2), and the discriminator's surface where there is one."""
PIXELS = 640
"""Side of the picture of a run's samples, twice that of a board's tile."""
FRAME = 320
"""Side of one point of a training, as a report shows it alone."""
_PANEL, _TITLE, _COLUMNS, _DPI = 300, 24, 3, 100
_DATA, _SAMPLES, _BAD, _MODE, _LEVELS = "#777777", "#0072B2", "#D55E00", "#000000", 9


def write_points(
    path: Path,
    samples: NDArray[Any],
    data: NDArray[Any] | None = None,
    level: NDArray[Any] | None = None,
    modes: Modes | None = None,
) -> None:
    """Write samples, float (n, 2) in [-1, 1], over `data` or its `modes` and a surface `level`, as a PNG.

    It is a square of 640 pixels. Real points are not drawn where the modes are known.
    """
    figure = _figure(PIXELS, PIXELS)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    _draw(axes, samples, data, level, modes, size=5.0)
    _save(figure, path)


def write_training(path: Path, panels: Sequence[Panel], data: NDArray[Any], modes: Modes | None = None) -> None:
    """Write a training as one PNG, three panels to a row, each under the images seen and what its samples capture."""
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = _figure(columns * _PANEL, rows * (_PANEL + _TITLE))
    for index, (images, points, level) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, index + 1)
        said = _draw(axes, points, data, level, modes, size=2.5, shown=SHOWN)
        axes.set_title(", ".join(filter(None, (f"{images:,} images", said))), fontsize=9, pad=4)
    top = 1 - _TITLE / (rows * (_PANEL + _TITLE))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=top, wspace=0.03, hspace=0.09)
    _save(figure, path)


def frame_png(
    points: NDArray[Any],
    data: NDArray[Any] | None = None,
    level: NDArray[Any] | None = None,
    modes: Modes | None = None,
) -> bytes:
    """Return one panel of a training, without its title, as a square PNG of 320 pixels.

    It has few colours and is kept with a palette, at a third of its bytes: a report holds a frame a point of the curve.
    """
    from PIL import Image

    figure = _figure(FRAME, FRAME)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    _draw(axes, points, data, level, modes, size=2.5, shown=SHOWN)
    axes.spines[:].set_visible(False)  # half of each would lie outside
    stream, small = io.BytesIO(_png(figure)), io.BytesIO()
    with Image.open(stream) as image:
        image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def _figure(width: int, height: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    return figure


def _draw(
    axes: Axes,
    samples: NDArray[Any],
    data: NDArray[Any] | None,
    level: NDArray[Any] | None,
    modes: Modes | None,
    size: float,
    shown: int | None = None,
) -> str:
    """Draw the first `shown` samples over data or modes over contours, bright where points are taken for real.

    Return what all samples capture, in words; nothing where the modes are not known.
    """
    if level is not None:
        # Outputs are logits here and distances there: what they rank is the same in both, so levels are quantiles.
        edges = np.unique(np.quantile(level, np.linspace(0, 1, _LEVELS + 1)))
        if len(edges) > 2:
            axis = np.linspace(-1, 1, len(level))
            shades = [(shade,) * 3 for shade in np.linspace(0.72, 1.0, len(edges) - 1)]
            axes.contourf(axis, axis, level, levels=edges, colors=shades)
    good, said = np.ones(len(samples), dtype=bool), ""
    if modes is not None:
        good, captures = _judge(samples, modes)
        said = f"{sum(captures)} of {len(captures)} modes, {good.mean():.0%} good"
        _draw_modes(axes, modes, captures, size)
    elif data is not None:
        axes.scatter(data[:shown, 0], data[:shown, 1], s=size, color=_DATA, linewidths=0)
    for chosen, colour in ((~good, _BAD), (good, _SAMPLES)):
        points = samples[:shown][chosen[:shown]]
        axes.scatter(points[:, 0], points[:, 1], s=size, color=colour, alpha=0.7, linewidths=0)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], aspect="equal")
    return said


def _judge(samples: NDArray[Any], modes: Modes) -> tuple[NDArray[np.bool_], tuple[bool, ...]]:
    """Return which samples are of high quality, bool (n,), and which modes they capture."""
    distance = np.linalg.norm(samples[:, None].astype(np.float64) - modes.centres, axis=2)
    nearest, good = distance.argmin(axis=1), distance.min(axis=1) <= REACH * modes.sigma
    counts = np.bincount(nearest[good], minlength=len(modes.centres))
    return good, ModeCounts(tuple(counts.tolist()), len(samples), 2).captures


def _draw_modes(axes: Axes, modes: Modes, captures: tuple[bool, ...], size: float) -> None:
    from matplotlib.patches import Circle

    for centre, captured in zip(modes.centres, captures, strict=True):
        axes.add_patch(Circle(tuple(centre), REACH * modes.sigma, fill=False, color=_MODE, linewidth=size / 6))
        if not captured:
            axes.scatter(centre[0], centre[1], s=12 * size, marker="x", color=_MODE, linewidths=size / 4, zorder=3)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _save(figure: Figure, path: Path) -> None:
    png = _png(figure)
    atomic_write(path, lambda file: file.write(png))
