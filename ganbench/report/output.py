"""The folder of a report: written whole, cleared of what an earlier report left there, and never anybody else's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ganbench.errors import RequestError
from ganbench.util.atomic_io import write_bytes, write_text

MANIFEST = ".ganbench-report.json"
"""The list of the files that a report has written, by which the next one knows them for its own."""


def check_folder(out: Path) -> None:
    """Raise `RequestError` where a folder holds something and is no report."""
    if _listed(out) is None and out.is_dir() and any(out.iterdir()):
        raise RequestError(f"--out {out}: holds other files than a report's: name another folder, or empty it")


def write_files(out: Path, files: Mapping[str, bytes]) -> int:
    """Write files by their paths below `out`; return how many files of an earlier report were removed.

    What somebody else put there stays. Files are written one by one, each whole; a report that was interrupted is
    finished by the next.
    """
    check_folder(out)
    earlier = _listed(out) or []
    _write_manifest(out, {*earlier, *files})
    for path, content in files.items():
        target = out / path
        if not _same(target, content):
            write_bytes(target, content)
    stale = [path for path in earlier if path not in files and _is_inside(out, path)]
    for path in stale:
        (out / path).unlink(missing_ok=True)
    for folder in sorted({parent for path in stale for parent in PurePosixPath(path).parents}, reverse=True):
        if folder != PurePosixPath("."):
            with contextlib.suppress(OSError):  # it holds something, or is gone
                (out / folder).rmdir()
    _write_manifest(out, files)
    return len(stale)


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _write_manifest(out: Path, files: Iterable[str]) -> None:
    write_text(out / MANIFEST, json.dumps({"files": sorted(files)}, indent=1) + "\n")


def _listed(out: Path) -> list[str] | None:
    """Return the files of the earlier report, None where there is none."""
    try:
        found = json.loads((out / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return [path for path in found if isinstance(path, str)] if isinstance(found, list) else None


def _is_inside(out: Path, path: str) -> bool:
    """Tell whether a path leads to a file below the folder: a manifest may be a stranger's."""
    target = out / path
    return target.parent.resolve().is_relative_to(out.resolve()) and (target.is_file() or target.is_symlink())
