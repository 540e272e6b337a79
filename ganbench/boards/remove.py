"""Take a row, or a run, away: wherever it lies."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.boards.publish import TRACK, read_request, rebuild
from ganbench.errors import RequestError
from ganbench.store.locks import in_work
from ganbench.store.run_record import RunRecord
from ganbench.store.store import Store


@dataclass(frozen=True)
class Found:
    """A run to be removed; `board` is the folder of the published board that it stands on, None for a user's own."""

    folder: Path
    record: RunRecord | None
    board: Path | None

    def __str__(self) -> str:
        if self.record is None:
            return f"{self.folder}"
        spec = self.record.spec
        return f"{self.folder}: {spec.model_info.label}, seed {spec.seed_index}, {self.record.status}"


def find(what: str, runs: Path, published: Path) -> list[Found]:
    """Return the runs of a key, or its first letters, or of a label, in the user's store and on published boards.

    Raises `RequestError` where there is none, where letters fit several keys, and where one is in work.
    """
    boards = sorted(path.parent for path in published.glob(f"*/{TRACK}"))
    places = [(Store(runs), None), *((Store(board / "runs"), board) for board in boards)]
    every = [_found(store, key, board) for store, board in places for key in store.keys()]  # noqa: SIM118 (no dict)
    chosen = [each for each in every if each.record and each.record.spec.model_info.label == what]
    if not chosen and len(what) >= 4:
        chosen = [each for each in every if each.folder.name.startswith(what)]
        if len({each.folder.name for each in chosen}) > 1:
            raise RequestError(f"{what!r}: {len({each.folder.name for each in chosen})} runs: write more letters")
    if not chosen:
        raise RequestError(
            f"{what!r}: no run of that key (four letters or more) or label in {runs} or {published}: "
            "`ganbench runs` lists them"
        )
    for each in chosen:
        if in_work(each.folder):
            raise RequestError(f"{each.folder}: is being trained: end that first")
    return chosen


def _found(store: Store, key: str, board: Path | None) -> Found:
    try:
        return Found(store.folder(key), store.read(key), board)
    except RequestError:  # what is damaged can be removed by its key
        return Found(store.folder(key), None, board)


def remove(found: Sequence[Found], published: Path) -> None:
    """Remove runs, and write the published boards that they stood on again.

    Raises `RequestError`, and removes nothing, where such a board's ``track.json`` cannot be read.
    """
    requests = [read_request(board) for board in dict.fromkeys(each.board for each in found) if board is not None]
    for each in found:
        shutil.rmtree(each.folder)
    for request in requests:
        rebuild(request, published)
