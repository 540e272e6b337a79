"""The folder for what can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(*parts: str) -> Path:
    """Return (and make) a sub-folder of ``GANBENCH_CACHE``, by default ``~/.cache/ganbench``."""
    base: str | Path | None = os.environ.get("GANBENCH_CACHE")
    if not base:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "ganbench")
    folder = Path(base, *parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
