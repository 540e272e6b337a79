"""Samples as files: uint8 images (n, C, H, W), or float32 points (n, D), known by the hash of their content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ganbench.errors import RequestError
from ganbench.util.atomic_io import atomic_write

FOLDER = "samples"


class SampleFile(BaseModel):
    """A file of samples, relative to its run's folder, how many it holds, and the hash of shape and values."""

    model_config = ConfigDict(frozen=True)

    file: str
    n: int
    sha256: str


def array_sha256(array: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's shape and values, whatever file they came from."""
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def write_samples(folder: Path, name: str, samples: NDArray[Any]) -> SampleFile:
    """Write samples to ``samples/NAME.npy`` in a run's folder."""
    path = folder / FOLDER / f"{name}.npy"
    atomic_write(path, lambda stream: np.save(stream, samples, allow_pickle=False))
    return SampleFile(file=f"{FOLDER}/{name}.npy", n=len(samples), sha256=array_sha256(samples))


def read_samples(folder: Path, known: SampleFile, n: int | None = None) -> NDArray[Any]:
    """Return samples, the first `n` where that is given; raise `RequestError` where they are not those of the record.

    FileNotFoundError where there is no file: it may have been cleaned away, and can be drawn again.
    """
    path = folder / known.file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RequestError(f"{path}: leads out of its run's folder")
    try:
        with open(path, "rb") as stream:
            samples: NDArray[Any] = np.load(stream, allow_pickle=False)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError) as error:
        raise RequestError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(samples, np.ndarray):
        raise RequestError(f"{path}: cannot be read (it holds no array)")
    if array_sha256(samples) != known.sha256:
        raise RequestError(f"{path}: not the samples that the run drew (their sha256 differs from its record's)")
    return samples if n is None else samples[:n]
