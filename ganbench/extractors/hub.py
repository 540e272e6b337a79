"""Weights that torch.hub downloads: whether they are here, and by what hash records name them; without torch.

A network's hash is computed from its tensors, which takes loading it: `remember` keeps it beside the files' sizes and
times, so that the list of extractors can show the hash that records show.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from ganbench.util.atomic_io import write_text
from ganbench.util.cache import cache_folder


def hub_folder() -> Path:
    """Return what `torch.hub.get_dir()` returns."""
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return Path(os.getenv("TORCH_HOME", f"{cache}/torch")).expanduser() / "hub"


def are_here(files: Sequence[Path]) -> bool:
    """Tell whether all files are there; relative ones are looked for in torch.hub's folder."""
    return all((hub_folder() / file).is_file() for file in files)


def remember(name: str, files: Sequence[Path], sha256: str) -> None:
    """Keep the hash of an extractor whose weights these files are."""
    if are_here(files):
        write_text(_note(name), json.dumps({"files": _stamps(files), "sha256": sha256}))


def recall(name: str, files: Sequence[Path]) -> str | None:
    """Return the hash that was remembered, None where there is none or the files have changed."""
    try:
        note = json.loads(_note(name).read_text())
        return str(note["sha256"]) if note["files"] == _stamps(files) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(name: str) -> Path:
    return cache_folder("extractors") / f"{name}.json"


def _stamps(files: Sequence[Path]) -> list[list[str | int]]:
    paths = [hub_folder() / file for file in files]
    return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths]
