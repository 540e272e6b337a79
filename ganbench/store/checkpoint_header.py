"""What a checkpoint says of itself in its first line: read without torch, and without the state that follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FORMAT = 2
HEADER = 512
"""Bytes; the state begins after them."""
LATEST, BEFORE = "resume.pt", "resume-before.pt"


class Damaged(Exception):
    """A file that is no whole checkpoint; the message names it and says why."""


def read_header(path: Path) -> dict[str, Any]:
    """Return the facts at the head of a checkpoint: ``sha256`` of the state, ``key``, ``images``, ``share``.

    The last is the part of the budget that is spent, 0 to 1. Raises `Damaged` where there is no such head.
    """
    try:
        with open(path, "rb") as stream:
            header = json.loads(stream.read(HEADER))
        if header["ganbench_checkpoint"] != FORMAT:
            raise Damaged(
                f"{path}: written in format {header['ganbench_checkpoint']}, and this ganbench reads {FORMAT}"
            )
        if not isinstance(header["sha256"], str):
            raise Damaged(f"{path}: no checkpoint of ganbench")
        return dict(header)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"{path}: no checkpoint of ganbench") from error


def read_share(folder: Path) -> float | None:
    """Return how much of its budget a run had spent at its last checkpoint, 0 to 1; None where it has none."""
    for name in (LATEST, BEFORE):
        try:
            share = read_header(folder / name).get("share")
        except Damaged:
            continue
        if isinstance(share, int | float) and 0 <= share <= 1:
            return float(share)
    return None
