"""The store: one folder for each run, named by its key. Nothing in it is trusted unseen, and no record is ever deleted.

Which file is which stands in `ganbench.store.layout`. These are plain files and POSIX locks, which network file
systems have too. Published runs have the same layout, so that one class reads both.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ganbench.errors import RequestError
from ganbench.store import run_record, score_record
from ganbench.store.layout import RUN, SCORES, SPEC
from ganbench.store.locks import Lock
from ganbench.store.merge import merge
from ganbench.store.run_record import RunRecord
from ganbench.store.score_record import ScoreRecord
from ganbench.util.checked_json import decode_bytes, read_raw
from ganbench.util.gc_pause import gc_paused

BATCH = 1000
"""Runs that are read at once."""
LOCK_SECONDS = 30.0
"""How long `Store.write_score` waits for another command that is writing scores of the same run."""


class ReadRun(NamedTuple):
    """A record, and the sha256 of the file that it was read from."""

    record: RunRecord
    sha256: str


class ReadScores(NamedTuple):
    """The scores of a run that could be read, in the order of their keys, and why the other files could not."""

    records: list[ScoreRecord]
    problems: list[str]


@dataclass(frozen=True)
class StoredRun:
    """What a store holds of one run: its record, None where that cannot be trusted, and its scores.

    `problems` says in one line each what is wrong with the record or with a score file.
    """

    key: str
    folder: Path
    record: RunRecord | None
    scores: list[ScoreRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Store:
    """The folder of runs, ``runs`` by default."""

    root: Path

    def folder(self, key: str) -> Path:
        """Return the folder of a run, which need not exist."""
        return self.root / key

    def keys(self) -> list[str]:
        """Return the keys of all runs, finished or not, in order; none where the store does not exist.

        Raises `RequestError` where its folder cannot be read.
        """
        try:
            with os.scandir(self.root) as entries:
                return sorted(each.name for each in entries if each.name[0] != "." and _is_run(each))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RequestError(
                f"runs {self.root}: cannot be read ({os.strerror(error.errno or 0)}): name another folder"
            ) from error

    def find(self, start: str) -> str:
        """Return the one key that begins with `start`; raise `RequestError` where there is none, or more."""
        found = [key for key in self.keys() if key.startswith(start)]
        if start in found:
            return start
        if len(found) != 1 or not start:
            what = "no run" if not found else f"{len(found)} runs"
            raise RequestError(f"{start!r}: {what} of that key under {self.root}: `ganbench runs` lists them")
        return found[0]

    def read(self, key: str) -> RunRecord | None:
        """Return a run's record, None where there is none.

        Raises `RequestError` for one that cannot be read, is damaged, was edited, or belongs to another run.
        """
        found = self.read_with_sha(key)
        return found and found.record

    def read_with_sha(self, key: str) -> ReadRun | None:
        """Return a run's record with the sha256 of its file, by which `TrainJob.replaces` names it.

        None where there is none; raises `RequestError` as `read` does.
        """
        path = f"{self.root}/{key}/{RUN}"
        if (raw := read_raw(path, "record")) is None:
            return None
        record = decode_bytes(raw, path, RunRecord, "record", run_record.SCHEMA)
        if record.key != key:
            raise RequestError(f"record {path}: of another run, {record.key}")
        if record.spec.key != key:
            raise RequestError(f"record {path}: its key is not that of what it says was trained, {record.spec.key}")
        return ReadRun(record, hashlib.sha256(raw).hexdigest())

    def records(self) -> Iterator[StoredRun]:
        """Yield every run that has a ``run.json``, with its scores, in the order of keys.

        What cannot be trusted is yielded too, with `StoredRun.problems`; runs without a record are left out. A score
        of other samples than those of the record is a problem, since it says nothing of this run.
        """
        keys = self.keys()
        for start in range(0, len(keys), BATCH):
            with gc_paused():
                batch = [self.stored(key) for key in keys[start : start + BATCH]]
            yield from (found for found in batch if found is not None)

    def stored(self, key: str) -> StoredRun | None:
        """Return a run's record and its scores, None where it has no ``run.json``; see `records`."""
        try:
            record = self.read(key)
        except RequestError as error:
            return StoredRun(key, self.folder(key), None, [], [str(error)])
        if record is None:
            return None
        return StoredRun(key, self.folder(key), record, *read_scores(self.folder(key), record))

    def set_aside(self, key: str) -> Path:
        """Move a run's record out of the way and return where it lies now."""
        return set_aside(self.folder(key))

    def score_path(self, key: str, protocol_key: str) -> Path:
        """Return where the scores of a run under a protocol lie, whether there are any or not."""
        return self.root / key / SCORES / f"{protocol_key}.json"

    def scores(self, key: str) -> ReadScores:
        """Return all scores of a run, and why files could not be used: damaged, edited, or of another run."""
        return _read_scores(str(self.folder(key)), key)

    def read_score(self, key: str, protocol_key: str) -> ScoreRecord | None:
        """Return the scores of a run under a protocol, None where there are none.

        Raises `RequestError` for a file that cannot be read, is damaged, was edited, or belongs elsewhere.
        """
        path = self.score_path(key, protocol_key)
        return _read_score(str(path), key, protocol_key) if path.exists() else None

    def write_score(self, record: ScoreRecord) -> ScoreRecord:
        """Write scores, merged with what another command wrote of the same samples meanwhile; return what is written.

        See `ganbench.store.merge` for what wins. A file that cannot be used, or of other samples, is moved out of the
        way. The scores' own lock is held meanwhile: the run's may be held, for minutes, by the very process that
        scores, and a POSIX lock that a process takes twice is lost when it is given back once.

        Raises `RequestError` where the run has other samples by now, where another command holds the lock for longer
        than `LOCK_SECONDS`, or where the file system has no locks; OSError where nothing can be written.
        """
        if record.key != record.protocol.key:
            raise ValueError(f"a score of key {record.key} under a protocol of key {record.protocol.key}")
        path = self.score_path(record.run, record.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _waiting_lock(path.parent):
            run = self.read(record.run)
            if run is not None and run.samples is not None and run.samples.sha256 != record.samples_sha256:
                raise RequestError(f"run {record.run}: it was trained again while its old samples were scored")
            try:
                there = self.read_score(record.run, record.key)
            except RequestError:
                there = None
            if there is not None and there.samples_sha256 == record.samples_sha256:
                record = merge(there, record)
            else:
                _move_aside(path, "{path}.before-{number}")
            record.write(path)
        return record


def read_scores(folder: Path, record: RunRecord) -> ReadScores:
    """Return the scores in a run's folder, whatever its name, that are of the samples in the run's record."""
    scores, problems = _read_scores(str(folder), record.key)
    if record.samples is None:
        return ReadScores(scores, problems)
    fitting = [score for score in scores if score.samples_sha256 == record.samples.sha256]
    problems += [
        f"score {folder / SCORES / score.key}.json: of other samples than the run's: run `ganbench score {record.key}`"
        for score in scores
        if score.samples_sha256 != record.samples.sha256
    ]
    return ReadScores(fitting, problems)


def set_aside(folder: Path) -> Path:
    """Move the record in a run's folder to ``run-before-N.json`` and return that."""
    return _move_aside(folder / RUN, f"{folder / RUN.removesuffix('.json')}-before-{{number}}.json")


def _move_aside(path: Path, pattern: str) -> Path:
    number = 1
    while (aside := Path(pattern.format(path=path, number=number))).exists():
        number += 1
    with suppress(FileNotFoundError):  # another command has done it meanwhile, or there is none
        path.replace(aside)
    return aside


def _is_run(entry: os.DirEntry[str]) -> bool:
    """Tell whether a folder holds a run; one that cannot be looked into counts as one, so that it is not overlooked."""
    for name in (RUN, SPEC):
        try:
            os.stat(f"{entry.path}/{name}")  # noqa: PTH116 (10,000 times)
            return True
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return True
    return False


def _read_scores(run_folder: str, key: str) -> ReadScores:
    folder = f"{run_folder}/{SCORES}"
    records, problems = [], []
    try:
        with os.scandir(folder) as entries:
            names = sorted(each.name for each in entries if each.name.endswith(".json") and each.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        return ReadScores([], [f"scores {folder}: cannot be read ({os.strerror(error.errno or 0)})"])
    for name in names:
        try:
            records.append(_read_score(f"{folder}/{name}", key, name.removesuffix(".json")))
        except RequestError as error:
            problems.append(str(error))
    return ReadScores(records, problems)


def _read_score(path: str, key: str, protocol_key: str) -> ScoreRecord:
    try:
        with open(path, "rb", buffering=0) as stream:
            raw = stream.read()
    except OSError as error:
        raise RequestError(f"score {path}: cannot be read ({os.strerror(error.errno or 0)})") from error
    record = decode_bytes(raw, path, ScoreRecord, "score", score_record.SCHEMA)
    if record.run != key:
        raise RequestError(f"score {path}: of another run, {record.run}")
    if not record.key == record.protocol.key == protocol_key:
        raise RequestError(f"score {path}: of another scoring protocol, {record.protocol.key}")
    return record


@contextmanager
def _waiting_lock(folder: Path) -> Iterator[None]:
    lock, until = Lock(folder), time.monotonic() + LOCK_SECONDS
    try:
        while not lock.acquire():
            if time.monotonic() > until:
                raise RequestError(f"{folder}: another command has been writing here for {LOCK_SECONDS:.0f} s")
            time.sleep(0.01)
    except OSError as error:
        raise RequestError(f"{folder}: no lock can be taken there ({os.strerror(error.errno or 0)})") from error
    try:
        yield
    finally:
        lock.release()
