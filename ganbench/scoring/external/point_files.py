"""Points made anywhere, read into one form: a ``.npy`` or ``.npz`` file, an array or a tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ganbench.data.pixels import TOLERANCE
from ganbench.errors import RequestError
from ganbench.scoring.external.array_files import SUFFIXES, read_array_file
from ganbench.scoring.external.images import Images, as_numpy, choose, given, taken


def read_points(source: Any, *, labels: Any = None, n: int | None = None) -> Images:
    """Read points, floating (n, D) in [-1, 1], from a path, a NumPy array or a tensor; they are cut, never rounded.

    `labels` and `n` as in `read_images`, whose form is returned: its ``pixels`` are the points, float32. Raises
    `RequestError`, in one line that names the source, where they cannot be read.
    """
    found = None
    if isinstance(source, str | Path):
        path, name = Path(source), str(source)
        if path.suffix.lower() not in SUFFIXES or path.is_dir():
            raise RequestError(f"{path}: the reference holds points: give a .npy or .npz file of points, or a run")
        array, found, inside = read_array_file(path)
        kind, reading = path.suffix.lower()[1:], {"array": inside} if inside else {}
    else:
        array, name, kind, reading = as_numpy(source), "array", "array", {}
    if array.ndim != 2 or 0 in array.shape or not np.issubdtype(array.dtype, np.floating):
        raise RequestError(f"{name}: {array.dtype} of shape {array.shape}: points are floating, of shape (n, D)")
    if not np.isfinite(array).all():
        raise RequestError(f"{name}: holds NaN or inf: look at what made it")
    if np.abs(array).max() > 1 + TOLERANCE:
        low, high = float(array.min()), float(array.max())
        raise RequestError(f"{name}: values in [{low:.3g}, {high:.3g}] go beyond [-1, 1]: scale them as the data is")
    chosen = choose(len(array), n, name)
    found = found if labels is None else given(labels)
    return Images(
        name, kind, array[chosen].clip(-1, 1).astype(np.float32), taken(found, chosen, len(array), name), len(array),
        reading | {"range": "-1-1"},
    )  # fmt: skip
