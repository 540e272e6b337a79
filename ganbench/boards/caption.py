"""How a board was made, and what is not on it: protocols, hashes, machines and versions, all read from its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ganbench.boards.board import Board
from ganbench.boards.checks import started
from ganbench.boards.entries import Entry
from ganbench.util.text import one_line

READING = (
    "Each number is the mean over training seeds with its 95 % interval. For a distance such as FID it is the "
    "geometric mean, because its logarithm is averaged and compared. A rank is the range of places that Welch's "
    "t-test leaves open, pair by pair: it puts two equal models in an order in 5 % of cases. The variance of a row is "
    "at least that of the scored images. One seed separates nothing; its interval covers the scored images alone. A "
    "failed run counts as the worst value on the board."
)
"""How a board is read, wherever it is shown."""
CHECKED = (
    "of rows that others sent: claimed rows were not checked, and are not ranked; of rescored ones the samples were "
    "scored again, of reproduced ones the code was trained on fresh seeds, too; rows without a word were trained here"
)
"""What the column says, where a board has it."""
UNDISTURBED = 0.95
"""The share of a core from which on a run counts as undisturbed."""
LIMIT = 240
"""Characters of a reason, or of a list of runs."""


def caption(board: Board) -> list[tuple[str, str]]:
    """Return pairs of what and said, in reading order; text that differs between runs is listed."""
    track, training, scoring = board.track, board.request.training, board.request.scoring
    trained = [entry for entry in board.entries if entry.info.role == "model"]
    provenances = [entry.run.provenance for entry in trained]
    indices = sorted({entry.seed_index for entry in trained})
    sizes = sorted({ranked.row.samples for ranked in board.rows if ranked.row.samples is not None})
    days = sorted({started(entry.run)[:10] for entry in trained} - {""})
    devices = sorted({entry.run.spec.training.device for entry in trained} - {""})
    device = f", on {_listed(devices)}" if devices else ""
    return [
        ("track", f"{track.name}, version {track.version}"),
        ("training protocol", f"{training.budget} a run{device}, {training.precision}, on the {training.n:,} training "
         f"images of {training.dataset}, sha256 {training.train_sha256[:12]}"),
        ("scoring protocol", f"key {scoring.key}"),
        ("n", f"{_listed(f'{size:,}' for size in sizes) or f'{track.samples:,}'} samples a run"),
        ("reference", f"images of the {scoring.split} split of {scoring.dataset}, never trained on, sha256 "
         f"{scoring.reference_sha256[:12]}"),
        ("extractor", f"{scoring.extractor}, sha256 {scoring.extractor_sha256[:12]}"),
        ("seeds", _listed(map(str, indices)) or "none"),
        ("tuning", _tuning(board)),
        *([("checked", CHECKED)] if any(ranked.row.checked for ranked in board.rows) else []),
        ("downstream classifier", f"{scoring.classifier_steps:,} updates, {scoring.classifier_seeds} seeds a run"),
        ("machine", _distinct(map(_machine, provenances))),
        ("costs", _undisturbed(trained)),
        ("versions", _distinct(map(_versions, provenances))),
        ("code", _distinct(map(_code, provenances))),
        ("date", " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "unknown"),
    ]  # fmt: skip


def absent(board: Board) -> list[str]:
    """Return sentences on what is not on a board: what was superseded, left out or refused, and why."""
    reasons: dict[str, list[str]] = {}
    for refusal in board.refused:
        reasons.setdefault(refusal.reason, []).append(refusal.what)
    said = [one_line(str(each), LIMIT) for each in (*board.superseded, *board.left_out)]
    return said + [
        f"refused: {one_line(', '.join(what), LIMIT)}: {one_line(why, LIMIT)}" for why, what in reasons.items()
    ]


def _undisturbed(trained: Iterable[Entry]) -> str:
    """Say whether runs of one thread had their cores for themselves, so that seconds compare."""
    shares = [
        entry.run.processor_share for entry in trained
        if entry.run.processor_share is not None and entry.run.provenance.get("threads") == 1
    ]  # fmt: skip
    if not shares:
        return "not known whether other programs ran at the same time"
    had = f"runs had {min(shares):.0%} to {max(shares):.0%} of a core".replace("%", " %")
    if min(shares) < UNDISTURBED:
        return f"{had}: other programs ran at the same time, so seconds and images per second do not compare"
    return f"{had}: nothing else ran at the same time, so seconds and images per second compare on one machine"


def _tuning(board: Board) -> str:
    """Return how the hyper-parameters of rows were found, and of how many rows that is told."""
    rows = [ranked.row for ranked in board.rows if ranked.row.role == "model"]
    told = Counter(str(row.tuning) for row in rows if row.tuning)
    said = [f"{how} ({count} of {len(rows)} rows)" for how, count in told.items()]
    return "; ".join(said) or "no row was tuned by ganbench tune"


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
