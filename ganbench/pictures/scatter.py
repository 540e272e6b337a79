"""Points of the plane as pictures: samples over data, and how they moved during training.

A discriminator's surface lies behind them as contours, where the model has one: a lost mode is seen, and why.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
_DATA, _SAMPLES, _LEVELS = "#777777", "#0072B2", 9


def write_points(
    path: Path, samples: NDArray[Any], data: NDArray[Any] | None = None, level: NDArray[Any] | None = None
) -> None:
    """Write samples, float (n, 2) in [-1, 1], over `data` and a surface `level`, as a square PNG of 640 pixels."""
    figure = _figure(PIXELS, PIXELS)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    _draw(axes, samples, data, level, size=5.0)
    _save(figure, path)


def write_training(path: Path, panels: Sequence[Panel], data: NDArray[Any]) -> None:
    """Write a training as one PNG, three panels to a row, each under the images seen."""
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = _figure(columns * _PANEL, rows * (_PANEL + _TITLE))
    for index, (images, points, level) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, index + 1)
        _draw(axes, points[:SHOWN], data[:SHOWN], level, size=2.5)
        axes.set_title(f"{images:,} images seen", fontsize=9, pad=4)
    top = 1 - _TITLE / (rows * (_PANEL + _TITLE))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=top, wspace=0.03, hspace=0.09)
    _save(figure, path)


def frame_png(points: NDArray[Any], data: NDArray[Any] | None = None, level: NDArray[Any] | None = None) -> bytes:
    """Return one panel of a training, without its title, as a square PNG of 320 pixels.

    It has few colours and is kept with a palette, at a third of its bytes: a report holds a frame a point of the curve.
    """
    from PIL import Image

    figure = _figure(FRAME, FRAME)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    _draw(axes, points[:SHOWN], None if data is None else data[:SHOWN], level, size=2.5)
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
    axes: Axes, samples: NDArray[Any], data: NDArray[Any] | None, level: NDArray[Any] | None, size: float
) -> None:
    """Draw samples over data over contours, bright where the discriminator takes a point for real."""
    if level is not None:
        # Outputs are logits here and distances there: what they rank is the same in both, so levels are quantiles.
        edges = np.unique(np.quantile(level, np.linspace(0, 1, _LEVELS + 1)))
        if len(edges) > 2:
            axis = np.linspace(-1, 1, len(level))
            shades = [(1.0, 0.80 + 0.20 * part, 0.58 + 0.42 * part) for part in np.linspace(0, 1, len(edges) - 1)]
            axes.contourf(axis, axis, level, levels=edges, colors=shades)
    if data is not None:
        axes.scatter(data[:, 0], data[:, 1], s=size, color=_DATA, linewidths=0)
    axes.scatter(samples[:, 0], samples[:, 1], s=size, color=_SAMPLES, alpha=0.6, linewidths=0)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], aspect="equal")


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _save(figure: Figure, path: Path) -> None:
    png = _png(figure)
    atomic_write(path, lambda file: file.write(png))
