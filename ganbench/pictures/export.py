"""Samples written where a user wants them: one picture, a file of arrays, or a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganbench.errors import RequestError
from ganbench.pictures.grid import write_grid
from ganbench.pictures.scatter import write_points
from ganbench.util.atomic_io import atomic_write


def export_samples(path: Path, samples: NDArray[Any], labels: NDArray[np.int64] | None) -> None:
    """Write images uint8 (n, C, H, W) or points float32 (n, D), with labels int64 (n,) where there are any.

    `path` ends in ``.png`` (one picture), in ``.npz`` (``samples`` and ``labels``), or is a folder (a PNG file each).
    """
    if path.suffix == ".npz":
        arrays: dict[str, Any] = {"samples": samples} | ({} if labels is None else {"labels": labels})
        atomic_write(path, lambda stream: np.savez_compressed(stream, **arrays))
    elif path.suffix == ".png":
        if samples.ndim == 4:
            write_grid(path, samples)
        elif samples.shape[1:] == (2,):
            write_points(path, samples)
        else:
            shape = samples.shape[1:]
            raise RequestError(
                f"--export {path}: no picture can be drawn of samples of shape {shape}: name a .npz file"
            )
    elif samples.ndim == 4:
        digits = len(str(len(samples) - 1))
        for index, image in enumerate(samples.transpose(0, 2, 3, 1)):
            picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
            name = f"{index:0{digits}}.png"
            atomic_write(path / name, lambda stream, picture=picture: picture.save(stream, format="PNG"))  # type: ignore[misc]
    else:
        raise RequestError(f"--export {path}: points cannot be written as images: name a .npz file")
