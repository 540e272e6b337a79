"""Points of the plane as pictures: samples over data, and how they moved while the model learnt.

A discriminator's surface lies behind them as contours, where the model has one: a lost mode is seen, and why.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ganbench.model import Model
from ganbench.training.sampling import seeded
from ganbench.util.atomic_io import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 500
"""Samples of a snapshot."""
SIDE = 81
"""Places of a surface along each axis of [-1, 1]."""
PIXELS = 640
"""Side of the picture of a trial's samples, twice that of a board's tile."""
_PANEL, _TITLE, _COLUMNS, _DPI = 300, 24, 3, 100
_DATA, _SAMPLES, _LEVELS = "#777777", "#0072B2", 9


def are_drawn(shape: tuple[int, ...]) -> bool:
    """Tell whether data of this shape is points of the plane."""
    return shape == (2,)


def snapshots(model: Model, samples: Tensor, images: int) -> list[dict[str, Any]]:
    """Return what a picture needs of a model after so many `images`, in a list that is empty for other data.

    It is tensors and plain values, which a checkpoint can hold. `samples` are float (n, 2), of which the first are
    kept; ``surface`` is as in `surface`.
    """
    if not are_drawn(model.data.shape):
        return []
    return [{"images": images, "points": samples[:SHOWN].cpu().clone(), "surface": surface(model)}]


@torch.no_grad()
def surface(model: Model) -> Tensor | None:
    """Return the discriminator's outputs over [-1, 1] x [-1, 1], float32 (SIDE, SIDE), a row for each y from -1 up.

    None where the model has no attribute ``discriminator`` that gives one finite number a point. The model, its mode
    and every random state stay as they were.
    """
    discriminator = getattr(model, "discriminator", None)
    if not callable(discriminator):
        return None
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    axis = torch.linspace(-1, 1, SIDE, device=device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    was_training = model.training
    model.eval()
    try:
        with seeded(0, device):
            found = discriminator(torch.stack([x.flatten(), y.flatten()], dim=1)).float()
        if found.numel() != SIDE**2 or not bool(torch.isfinite(found).all()):
            return None
        return found.reshape(SIDE, SIDE).cpu()  # type: ignore[no-any-return]
    except Exception:  # it may be anybody's, and ask for labels or for more than points
        return None
    finally:
        model.train(was_training)


def write_points(path: Path, samples: Tensor, data: np.ndarray | None = None, level: Tensor | None = None) -> None:
    """Write samples, float (n, 2) in [-1, 1], over `data` and a surface `level`, as a square PNG of 640 pixels."""
    figure = _figure(PIXELS, PIXELS)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    _draw(axes, samples.cpu().numpy(), data, level, size=5.0)
    _save(figure, path)


def write_training(path: Path, taken: Sequence[dict[str, Any]], data: np.ndarray) -> None:
    """Write the `snapshots` of a training as one PNG, three to a row, each under the images seen."""
    columns = min(_COLUMNS, len(taken))
    rows = -(-len(taken) // columns)
    figure = _figure(columns * _PANEL, rows * (_PANEL + _TITLE))
    for index, each in enumerate(taken):
        axes = figure.add_subplot(rows, columns, index + 1)
        _draw(axes, each["points"].numpy(), data[:SHOWN], each["surface"], size=2.5)
        axes.set_title(f"{each['images']:,} images seen", fontsize=9, pad=4)
    top = 1 - _TITLE / (rows * (_PANEL + _TITLE))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=top, wspace=0.03, hspace=0.09)
    _save(figure, path)


def _figure(width: int, height: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    return figure


def _draw(axes: Axes, samples: np.ndarray, data: np.ndarray | None, level: Tensor | None, size: float) -> None:
    """Draw samples over data over contours, bright where the discriminator takes a point for real."""
    if level is not None:
        # Outputs are logits here and distances there: what they rank is the same in both, so levels are quantiles.
        edges = np.unique(np.quantile(level.numpy(), np.linspace(0, 1, _LEVELS + 1)))
        if len(edges) > 2:
            axis = np.linspace(-1, 1, SIDE)
            shades = [(1.0, 0.80 + 0.20 * part, 0.58 + 0.42 * part) for part in np.linspace(0, 1, len(edges) - 1)]
            axes.contourf(axis, axis, level.numpy(), levels=edges, colors=shades)
    if data is not None:
        axes.scatter(data[:, 0], data[:, 1], s=size, color=_DATA, linewidths=0)
    axes.scatter(samples[:, 0], samples[:, 1], s=size, color=_SAMPLES, alpha=0.6, linewidths=0)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], aspect="equal")


def _save(figure: Figure, path: Path) -> None:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    atomic_write(path, lambda file: file.write(stream.getvalue()))
