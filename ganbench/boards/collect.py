"""Gather a track's records: what stands on one board, what is refused and why, what is superseded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import RequestError, did_you_mean
from ganbench.store.run_record import Record, read_record
from ganbench.tracks.track import NAME


@dataclass(frozen=True)
class Refusal:
    """A file that is not on the board, and why; `published` where it lies beside the board."""

    path: Path
    reason: str
    published: bool


@dataclass(frozen=True)
class Superseded:
    """Trials that gave way to newer ones of the same label; `by` says to which."""

    label: str
    count: int
    by: str

    def __str__(self) -> str:
        trials = "trial" if self.count == 1 else "trials"
        return f"{self.count} older {trials} of {self.label} superseded by {self.by}"


@dataclass(frozen=True)
class Found:
    """A record and the file it came from; `published` where that lies beside the board."""

    record: Record
    path: Path
    published: bool


@dataclass(frozen=True)
class Collection:
    """What was found for one board: `shown` in the order of labels and repetitions, `hidden` is superseded."""

    fingerprint: str
    shown: tuple[Found, ...]
    hidden: tuple[Found, ...]
    superseded: tuple[Superseded, ...]
    refused: tuple[Refusal, ...]


def started(record: Record) -> str:
    """Return the start in ISO 8601, which sorts as text; empty, and so the oldest, where it is unknown."""
    return str(record.provenance.get("started") or "")


def records_folder(boards: Path, track: str) -> Path:
    """Return the folder of a board's published records."""
    return boards / track / "records"


def collect(track: str, runs: Path | None, boards: Path, fingerprint: str | None = None) -> Collection:
    """Gather the records of a track under `runs` and those published under `boards`, merged by key.

    All share `fingerprint`, by default that of the most recently started record. `runs=None` reads only what is
    published. Raises `RequestError` where there is no record of the track, or none of the fingerprint.
    """
    if not NAME.fullmatch(track):
        raise RequestError(f"track {track!r}: not the name of a track")
    found, refused = _read(track, runs, boards)
    newest = _merge(candidate for candidate in found if candidate.record.track.protocol.name == track)
    if not newest:
        others = {candidate.record.track.protocol.name for candidate in found}
        broken = f"; {len(refused)} refused, the first: {refused[0].path}: {refused[0].reason}" if refused else ""
        raise RequestError(
            f"track {track!r}: no record under {runs or 'runs'} or {records_folder(boards, track)}"
            f"{did_you_mean(track, others)}: train with `ganbench run --track {track}`{broken}"
        )
    if fingerprint is None:
        fingerprint = newest[0].record.track.fingerprint
    reference = next((each.record for each in newest if each.record.track.fingerprint == fingerprint), None)
    if reference is None:
        known = sorted({candidate.record.track.fingerprint for candidate in newest})
        raise RequestError(f"track {track!r}: no record of fingerprint {fingerprint} (there is: {', '.join(known)})")
    alike = []
    for candidate in newest:
        if reason := _difference(candidate.record, reference):
            refused.append(Refusal(candidate.path, reason, candidate.published))
        else:
            alike.append(candidate)
    shown, hidden, superseded = _supersede(alike)
    return Collection(fingerprint, shown, hidden, superseded, tuple(sorted(refused, key=lambda each: str(each.path))))


def _read(track: str, runs: Path | None, boards: Path) -> tuple[list[Found], list[Refusal]]:
    """Read every record; those of other tracks are refused beside this board and left to theirs under `runs`."""
    files = [(path, True) for path in sorted(records_folder(boards, track).glob("*.json"))]
    files += [(path, False) for path in sorted(runs.glob("*/record.json"))] if runs else []
    found, refused = [], []
    for path, published in files:
        try:
            record = read_record(path)
        except RequestError as error:
            reason = str(error).removeprefix(f"record {path}: ")
            refused.append(Refusal(path, reason, published))
            continue
        name = record.track.protocol.name
        if not NAME.fullmatch(record.key):  # a key becomes a file's name: it must not lead out of the folder
            refused.append(Refusal(path, f"key {record.key!r} cannot be the name of a file", published))
        elif published and name != track:
            refused.append(Refusal(path, f"a record of another track, {name}", published))
        else:
            found.append(Found(record, path, published))
    return found, refused


def _merge(found: Iterable[Found]) -> list[Found]:
    """Return one record a key, the newer one and of equals the published one; the latest start comes first."""
    ordered = sorted(found, key=lambda each: (started(each.record), each.published, each.record.key), reverse=True)
    merged: dict[str, Found] = {}
    for candidate in ordered:
        merged.setdefault(candidate.record.key, candidate)
    return list(merged.values())


def _difference(record: Record, reference: Record) -> str:
    """Say in what a record's protocol differs from the board's; empty where they are alike."""
    mine, theirs = record.track, reference.track
    parts = []
    for part, ours in theirs.protocol.model_dump(exclude={"summary", "seeds"}).items():
        value = getattr(mine.protocol, part)
        if value != ours:
            parts.append(f"other {'track version' if part == 'version' else part}: {value}, this board has {ours}")
    for part in ("dataset", "extractor"):
        value, ours = getattr(mine, f"{part}_sha256"), getattr(theirs, f"{part}_sha256")
        if value != ours:
            said = {"dataset": "data set"}.get(part, part)
            parts.append(f"other {said}: sha256 {value[:12]}, this board has {ours[:12]}")
    if not parts and mine.fingerprint != theirs.fingerprint:
        parts.append(
            f"other protocol or metric version of ganbench: fingerprint {mine.fingerprint[:12]}, "
            f"this board has {theirs.fingerprint[:12]}"
        )
    return "; ".join(parts)


def _supersede(alike: list[Found]) -> tuple[tuple[Found, ...], tuple[Found, ...], tuple[Superseded, ...]]:
    """Keep of each label the most recently started source, and of that one trial a seed; count the others.

    `alike` comes latest start first. A seed that counted twice would narrow an interval that it must not.
    """
    source: dict[str, tuple[str, str]] = {}
    seeds: set[tuple[str, int]] = set()
    shown, hidden = [], []
    why: Counter[tuple[str, str]] = Counter()
    for candidate in alike:
        about, seed = candidate.record.about, candidate.record.seed
        current = source.setdefault(about.label, (about.version, about.source))
        if current != (about.version, about.source):
            hidden.append(candidate)
            why[about.label, "its current source"] += 1
        elif (about.label, seed) in seeds:
            hidden.append(candidate)
            why[about.label, "a newer trial of the same seed"] += 1
        else:
            seeds.add((about.label, seed))
            shown.append(candidate)
    superseded = tuple(Superseded(label, count, by) for (label, by), count in sorted(why.items()))
    return tuple(sorted(shown, key=_order)), tuple(sorted(hidden, key=_order)), superseded


def _order(found: Found) -> tuple[str, int, str]:
    return found.record.about.label, found.record.repetition, found.record.key
