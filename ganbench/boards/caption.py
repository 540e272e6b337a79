"""How a board was made: protocol, hashes, machines and versions, all read from its records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ganbench.boards.board import Board
from ganbench.boards.collect import started


def caption(board: Board) -> list[tuple[str, str]]:
    """Return pairs of what and said, in reading order; text that differs between trials is listed."""
    track, info = board.track, board.info
    provenances = [record.provenance for record in board.records]
    repetitions = sorted({record.repetition for record in board.records})
    sizes = sorted({ranked.row.samples for ranked in board.rows if ranked.row.samples is not None})
    days = sorted({started(record)[:10] for record in board.records} - {""})
    return [
        ("track", f"{track.name}, version {track.version}, fingerprint {info.fingerprint[:12]}"),
        ("n", f"{_listed(f'{size:,}' for size in sizes) or f'{track.samples:,}'} samples a trial"),
        ("reference", f"images of the test split of {track.dataset}, never trained on"),
        ("data set", f"{track.dataset}, sha256 {info.dataset_sha256[:12]}"),
        ("extractor", f"{track.extractor}, sha256 {info.extractor_sha256[:12]}"),
        ("budget", f"{track.budget} a trial; evaluation is not billed"),
        ("seeds", f"{track.seeds} asked for; repetitions {_listed(map(str, repetitions))} on the board"),
        ("downstream classifier", f"{track.classifier_steps:,} updates, {track.classifier_seeds} seeds a trial"),
        ("machine", _distinct(map(_machine, provenances))),
        ("versions", _distinct(map(_versions, provenances))),
        ("code", _distinct(map(_code, provenances))),
        ("date", " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "unknown"),
    ]


def _machine(provenance: dict[str, Any]) -> str:
    device, cpu = _text(provenance, "device"), _text(provenance, "cpu")
    named = [device] if device else []
    if cpu and cpu != device:
        named.append(cpu)
    counts = [f"{unit} {provenance[unit]}" for unit in ("cores", "threads") if provenance.get(unit)]
    precision = _text(provenance, "precision")
    return ", ".join([*named, *counts, *([precision] if precision else [])])


def _versions(provenance: dict[str, Any]) -> str:
    names = ("ganbench", "python", "torch", "cuda")
    return ", ".join(f"{name} {_text(provenance, name)}" for name in names if _text(provenance, name))


def _code(provenance: dict[str, Any]) -> str:
    commit = _text(provenance, "git_commit")
    return f"{commit[:12]}{', uncommitted changes' if provenance.get('git_dirty') else ''}" if commit else ""


def _text(provenance: dict[str, Any], key: str) -> str:
    value = provenance.get(key)
    return "" if value is None else str(value)


def _distinct(said: Iterable[str]) -> str:
    return "; or ".join(sorted(set(said) - {""})) or "unknown"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
