"""Arrays of images made anywhere: layout and range told apart, or asked for, and brought to uint8 (N, C, H, W)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganbench.data.pixels import TOLERANCE, to_uint8
from ganbench.errors import RequestError

LAYOUTS = ("nhwc", "nchw")
RANGES = ("0-1", "-1-1")
CHANNELS = (1, 3)
CHUNK = 1000


def as_uint8(
    array: NDArray[Any], name: str, *, layout: str | None = None, value_range: str | None = None
) -> tuple[NDArray[np.uint8], dict[str, str]]:
    """Return images as uint8 (N, C, H, W), one or three channels, and how they were read (`layout`, `range`).

    `array` is uint8 or floating point; (N, C, H, W), (N, H, W, C) or, where grey, (N, H, W). Floats are clamped and
    rounded once, half to even. `layout` is one of `LAYOUTS`, `value_range` one of `RANGES`; None tells them apart.
    Raises `RequestError`, naming `name`, for another shape or type, for NaN, and where two readings fit.
    """
    array, found_layout = _channels_first(array, name, layout)
    if array.dtype == np.uint8:
        return plain(array), {"layout": found_layout, "range": "0-255"}
    if not np.issubdtype(array.dtype, np.floating):
        raise RequestError(f"{name}: values are {array.dtype}: give uint8, or floating point in [0, 1] or [-1, 1]")
    finite = np.isfinite(array).all(axis=(1, 2, 3))
    if not finite.all():
        first = int(np.flatnonzero(~finite)[0])
        raise RequestError(
            f"{name}: {int((~finite).sum())} of {len(array)} images hold NaN or inf, the first is number {first}: "
            "look at what made it"
        )
    found_range = _range(float(array.min()), float(array.max()), name, value_range)
    pixels = np.empty(array.shape, dtype=np.uint8)
    for start in range(0, len(array), CHUNK):
        chunk = torch.from_numpy(np.ascontiguousarray(array[start : start + CHUNK], dtype=np.float32))
        rounded = to_uint8(chunk) if found_range == "-1-1" else chunk.clamp(0, 1).mul(255).round().to(torch.uint8)
        pixels[start : start + CHUNK] = rounded.numpy()
    return pixels, {"layout": found_layout, "range": found_range}


def plain(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy in C order.

    Grey NHWC seen as NCHW passes for contiguous in NumPy and for channels-last in torch, whose convolutions then
    differ in the last digits.
    """
    copy = np.empty(images.shape, dtype=np.uint8)
    copy[...] = images
    return copy


def _channels_first(array: NDArray[Any], name: str, layout: str | None) -> tuple[NDArray[Any], str]:
    shape = array.shape
    if 0 in shape:
        raise RequestError(f"{name}: shape {shape} holds no images")
    if array.ndim == 3 and shape[2] not in CHANNELS:
        return array[:, None], "nhw"
    if array.ndim != 4:
        raise RequestError(f"{name}: shape {shape}: give (N, C, H, W), (N, H, W, C) or, where grey, (N, H, W)")
    fits = {"nhwc": shape[3] in CHANNELS, "nchw": shape[1] in CHANNELS}
    if layout is not None and not fits[layout]:
        channels = shape[3] if layout == "nhwc" else shape[1]
        raise RequestError(f"{name}: shape {shape} read as {layout} has {channels} channels: 1 or 3 are needed")
    if not any(fits.values()):
        raise RequestError(f"{name}: shape {shape} has neither 1 nor 3 channels on the second or the last axis")
    if layout is None and all(fits.values()):
        raise RequestError(f"{name}: shape {shape} may be NCHW or NHWC: pass --layout nchw or --layout nhwc")
    found = layout or ("nhwc" if fits["nhwc"] else "nchw")
    return (array.transpose(0, 3, 1, 2) if found == "nhwc" else array), found


def _range(low: float, high: float, name: str, asked: str | None) -> str:
    """Return the range that all values lie in. Only values that fit one reading and reach both ends of it are told.

    A little below 0 may be [0, 1] with overshoot or [-1, 1] without dark pixels; mid grey alone fits both too.
    """
    said = f"{name}: values in [{low:.3g}, {high:.3g}]"
    floor = {"0-1": 0.0, "-1-1": -1.0, None: -1.0}[asked]
    if low < floor - TOLERANCE or high > 1 + TOLERANCE:
        wanted = f"[{floor:g}, 1]" if asked else "[0, 1] or [-1, 1]"
        raise RequestError(f"{said} go beyond {wanted}: rescale them, or save uint8")
    if asked is not None:
        return asked
    if low < -0.5:
        return "-1-1"
    if -TOLERANCE <= low <= 0.1 and high > 0.5:
        return "0-1"
    raise RequestError(f"{said} may mean [0, 1] or [-1, 1]: pass --range 0-1 or --range -1-1")
