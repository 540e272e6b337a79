"""A run by whatever a user calls it: its key or the first letters of it, its folder, or the path of its record."""

from __future__ import annotations

import os
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.store.layout import CHECKPOINT, RUN, SCORES, SPEC
from ganbench.store.run_record import RunRecord, read_run
from ganbench.store.store import Store


def is_run(folder: Path) -> bool:
    """Tell whether a folder is that of a run, finished or not."""
    return (folder / SPEC).is_file() or (folder / RUN).is_file()


def published_stores(published: Path) -> list[Store]:
    """Return the stores of published runs, one for each track, in the order of the tracks' names."""
    return [Store(folder) for folder in sorted(published.glob("*/runs")) if folder.is_dir()]


def find_folder(key: str, runs: Path) -> Path:
    """Return a run's folder, finished or not.

    `key` is a folder, the path of a ``run.json`` or of a score file, or a key or its first letters, which is looked for
    under `runs`. Of a published run, which has no checkpoint, the folder of that key under `runs` is returned where
    there is one. Raises `RequestError` where there is no such run, or more than one.
    """
    folder = _by_path(key)
    if folder is None:
        store = Store(runs)
        return store.folder(store.find(key))
    own = runs / folder.name
    is_published = not (folder / SPEC).exists() and not (folder / CHECKPOINT).exists()
    return own if is_published and is_run(own) else folder


def find_run(key: str, runs: Path, published: Path) -> tuple[Path, RunRecord]:
    """Return the path of a ``run.json`` and what it holds: that of a run under `runs`, else a published one.

    `key` as in `find_folder`. Raises `RequestError` where there is none, more than one, or none that can be trusted.
    """
    folder = _by_path(key)
    if folder is None:
        return _by_key(key, runs, published)
    path = folder / RUN
    if not path.is_file():
        raise RequestError(f"{key}: {_UNFINISHED}")
    record = read_run(path)
    if record.spec.key != record.key:
        raise RequestError(f"record {path}: its key is not that of what it says was trained, {record.spec.key}")
    return path, record


_UNFINISHED = "it has no record yet: the same `ganbench run` continues it, `ganbench show` shows its progress"


def _by_path(key: str) -> Path | None:
    """Return the folder of a run that is named by a path, None for what is a key; raise where a path leads to none."""
    path = Path(key)
    is_path = os.sep in key or key.endswith(".json") or key in (".", "..")
    try:
        if path.is_dir() and is_run(path):
            return path
        if is_path and path.is_file():
            for folder in (path.parent, path.parent.parent if path.parent.name == SCORES else path.parent):
                if is_run(folder):
                    return folder
        what = "not the folder of a run" if path.exists() else "there is no such file or folder"
    except OSError as error:
        what = os.strerror(error.errno or 0)
    if is_path:
        raise RequestError(f"{key}: {what}: `ganbench runs` lists runs")
    return None


def _by_key(start: str, runs: Path, published: Path) -> tuple[Path, RunRecord]:
    store = Store(runs)
    keys = store.keys()
    if any(key.startswith(start) for key in keys):
        key = store.find(start)
        if (record := store.read(key)) is not None:
            return store.folder(key) / RUN, record
        if (found := _published(key, published)) is None:
            raise RequestError(f"{store.folder(key)}: {_UNFINISHED}")
    elif (found := _published(start, published)) is None:
        raise RequestError(
            f"{start!r}: no run of that key under {runs}, nor under {published}: `ganbench runs` lists runs"
        )
    return found


def _published(start: str, published: Path) -> tuple[Path, RunRecord] | None:
    """Return the one published run whose key begins with `start`, None where there is none."""
    found: dict[str, Store] = {}
    for store in published_stores(published):
        keys = store.keys()
        found = {key: store for key in keys if key.startswith(start)} | found  # of two tracks, the first
    if not start or not found:
        return None
    if start not in found and len(found) > 1:
        raise RequestError(f"{start!r}: {len(found)} published runs of that key under {published}: write more letters")
    key = start if start in found else next(iter(found))
    record = found[key].read(key)
    return (found[key].folder(key) / RUN, record) if record is not None else None
