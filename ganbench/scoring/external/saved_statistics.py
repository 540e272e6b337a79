"""Mean and covariance of features kept as a file: a reference without its images."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.errors import RequestError
from ganbench.metrics.fid import Gaussian
from ganbench.metrics.moments import load_gaussian, save_gaussian
from ganbench.util.atomic_io import sha256_of

ARRAYS = {"mu", "sigma"}
"""What the files of pytorch-fid and clean-fid hold; ours say n, the extractor and the hash of the images too."""


@dataclass(frozen=True)
class Statistics:
    """Moments read from a file, with the attributes of `Images`; ``reading`` says what the file says of itself."""

    name: str
    moments: Gaussian
    sha256: str
    reading: dict[str, str] = field(default_factory=dict)
    kind: str = "statistics"
    shape: None = None
    labels: None = None

    def __len__(self) -> int:
        """How many images they were taken from; 0 where the file does not say."""
        return self.moments.n

    @property
    def available(self) -> int:
        return len(self)

    @property
    def notes(self) -> tuple[str, ...]:
        if "extractor" in self.reading:
            return ()
        return (f"{self.name}: does not say which extractor made it: a distance means something only with the same",)


def is_statistics(path: Path) -> bool:
    """Tell whether a file is an .npz that holds a mean and a covariance."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {Path(name).stem for name in archive.namelist()} >= ARRAYS
    except (OSError, zipfile.BadZipFile):
        return False


def read_statistics(path: Path, identity: str, extractor: str) -> Statistics:
    """Read moments; raise `RequestError` for a damaged file, and for one that another extractor made."""
    try:
        moments = load_gaussian(path)
        with np.load(path, allow_pickle=False) as file:
            reading = {name: str(file[name]) for name in ("extractor", "identity", "images_sha256") if name in file}
    except (zipfile.BadZipFile, zlib.error) as error:
        raise RequestError(f"--reference {path}: is damaged ({error}): make it again") from error
    except (OSError, ValueError) as error:
        raise RequestError(f"--reference {error}") from error
    if reading.get("identity", identity) != identity:
        raise RequestError(
            f"--reference {path}: its features are those of {reading.get('extractor')}, not of this {extractor}:"
            f" pass --extractor {reading.get('extractor')} with the same weights"
        )
    return Statistics(str(path), moments, sha256_of(path), reading)


def write_statistics(path: Path, moments: Gaussian, **description: Any) -> None:
    """Write moments for a later ``--reference``; `description` is what `read_statistics` reads beside them."""
    try:
        save_gaussian(path, moments, **{name: str(value) for name, value in description.items()})
    except OSError as error:
        raise RequestError(f"--save-statistics {path}: cannot be written ({error.strerror})") from error
