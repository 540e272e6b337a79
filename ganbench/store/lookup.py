"""A trial by what users call it: its key or the first letters of it, its folder, or the path of its record."""

from __future__ import annotations

import os
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.store.run_record import Record, read_record
from ganbench.store.store import RECORD, Store


def is_run(folder: Path) -> bool:
    """Tell whether a folder is that of a trial, finished or not."""
    return (folder / "trial.json").is_file() or (folder / RECORD).is_file()


def find_folder(key: str, runs: Path) -> Path:
    """Return a trial's folder, finished or not.

    `key` is a folder, the path of a record, or a key or its first letters, looked for under `runs`; of a published
    record the trial of its key is looked for there. Raises `RequestError` where there is none, or more than one.
    """
    path = _path(key)
    if path is None:
        return _local(key, runs)
    if path.is_dir():
        return path
    if is_run(path.parent):
        return path.parent
    return _local(path.stem, runs)


def find_record(key: str, runs: Path, boards: Path) -> tuple[Path, Record]:
    """Return a record and where it lies: that of a trial under `runs`, else a published one under `boards`.

    `key` as in `find_folder`. Raises `RequestError` where there is none, more than one, or none that can be trusted.
    """
    path = _path(key)
    if path is None:
        return _by_key(key, runs, boards)
    if path.is_dir():
        path /= RECORD
        if not path.is_file():
            raise RequestError(f"{key}: {_UNFINISHED}")
    return path, read_record(path)


_UNFINISHED = "its trial has no record: the same `ganbench run` goes on with it, `ganbench show` tells where it stands"


def _path(key: str) -> Path | None:
    """Return a run's folder or a record's file, None for what is a key; raise where a path leads to neither."""
    path = Path(key)
    meant = os.sep in key or key.endswith(".json") or key in (".", "..")
    try:
        if path.is_dir() and is_run(path) or meant and path.is_file():
            return path
        what = "no folder of a trial" if path.is_dir() else "there is no such file or folder"
    except OSError as error:
        what = os.strerror(error.errno or 0)
    if meant:
        raise RequestError(f"{key}: {what}: `ganbench runs` lists trials")
    return None


def _local(start: str, runs: Path) -> Path:
    store = Store(runs)
    return store.folder(store.find(start))


def _by_key(start: str, runs: Path, boards: Path) -> tuple[Path, Record]:
    store = Store(runs)
    keys = store.keys()
    if any(key.startswith(start) for key in keys):
        key = store.find(start)
        if (kept := store.read(key)) is not None:
            return store.folder(key) / RECORD, kept.record
        if (path := _published(key, boards)) is None:
            raise RequestError(f"{store.folder(key)}: {_UNFINISHED}")
    elif (path := _published(start, boards)) is None:
        raise RequestError(
            f"{start!r}: no record of that key under {runs}, nor under {boards}: `ganbench runs` lists trials"
        )
    record = read_record(path)
    if record.key != path.stem:
        raise RequestError(f"record {path}: of another trial, {record.key}")
    return path, record


def _published(start: str, boards: Path) -> Path | None:
    """Return the one published record whose key begins with `start`, None where there is none."""
    found = {path.stem: path for path in sorted(boards.glob("*/records/*.json")) if path.stem.startswith(start)}
    if not start or not found:
        return None
    if start not in found and len(found) > 1:
        raise RequestError(f"{start!r}: {len(found)} published records of that key under {boards}: write more letters")
    return found.get(start) or next(iter(found.values()))
