"""Publish: merge runs into the published leaderboards, after checking all that can be checked without training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.boards.board import Board, BoardRequest, build_board, published_store
from ganbench.boards.entries import Entry
from ganbench.boards.formatting import first_place
from ganbench.boards.markdown import escape
from ganbench.boards.write import write_board
from ganbench.errors import RequestError
from ganbench.metric import MetricInfo
from ganbench.store.layout import RUN, SAMPLES_PICTURE, SCORES, TRAINING_PICTURE, VERIFIED
from ganbench.store.merge import merge
from ganbench.store.run_record import RunStatus, read_run
from ganbench.store.run_spec import TrainingProtocol
from ganbench.store.samples import read_samples
from ganbench.store.score_record import SCHEMA, ScoreRecord, ScoringProtocol
from ganbench.store.store import Store
from ganbench.tracks.track import Track
from ganbench.util.atomic_io import check_writable, write_bytes, write_text
from ganbench.util.checked_json import decode

TRACK = "track.json"
"""The content of a published board's track, with the hashes of what it names."""


def publish(
    request: BoardRequest, store: Store, published: Path, *, known_sources: Mapping[tuple[str, str], str]
) -> tuple[Board, list[str]]:
    """Merge the runs of a store that belong to a track into `published`, and write the board; return it and the keys.

    Keys, checksums and, where the samples are there, their hashes are computed anew. Publishing again changes nothing;
    where the store holds no scored run of the track, its board is written again from the published runs.
    A run that failed, or was not scored, does not replace its published copy that ended well.
    Raises `RequestError` where the track's name is taken with other content, where a record is not to be believed,
    and where there is nothing to publish; nothing is changed then.
    """
    if request.scoring.split != "test":
        raise RequestError(f"{request.name}: boards are published against the test split alone")
    check_track(request, published)
    board = build_board(request, [store], None, known_sources=known_sources)
    if board.refused:
        first = board.refused[0]
        raise RequestError(f"{first.path}: refused: {first.reason}: remove it with `ganbench remove`, or train again")
    folder = published / request.track.name
    entries = [entry for entry in board.entries if not _would_undo(entry, folder / "runs" / entry.run.key)]
    if not any(entry.ok and entry.info.role == "model" for entry in entries):
        if published_store(published, request.track.name).keys():
            return rebuild(request, published), []
        raise RequestError(f"track {request.track.name!r}: {store.root} holds no scored run of it: nothing to publish")
    for entry in entries:
        _check_samples(entry)
    check_writable(published, "--published")
    write_text(folder / TRACK, json.dumps(track_content(request), indent=1) + "\n")
    for entry in entries:
        _copy(entry, folder / "runs" / entry.run.key)
    return rebuild(request, published), [entry.run.key for entry in entries]


def rebuild(request: BoardRequest, published: Path) -> Board:
    """Write a published board, and the index of all, from the published runs alone."""
    board = build_board(request, [published_store(published, request.track.name)])
    write_board(board, published)
    write_text(published / "README.md", index(published))
    return board


def track_content(request: BoardRequest) -> dict[str, Any]:
    """Return what two boards of one name must share, and what is needed to build the board again."""
    return {
        "content": request.track.content, "track": request.track.model_dump(mode="json"),
        "training": request.training.model_dump(mode="json"), "scoring": request.scoring.model_dump(mode="json"),
        "headline": request.headline.model_dump(mode="json"),
        "metrics": [metric.model_dump(mode="json") for metric in request.metrics],
    }  # fmt: skip


def read_request(folder: Path) -> BoardRequest:
    """Return what a published board was made from; `RequestError` where its ``track.json`` cannot be read."""
    path = folder / TRACK
    try:
        known = json.loads(path.read_text())
        return BoardRequest(
            Track(**known["track"]), TrainingProtocol(**known["training"]), ScoringProtocol(**known["scoring"]),
            MetricInfo(**known["headline"]), tuple(MetricInfo(**metric) for metric in known["metrics"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from error


def check_track(request: BoardRequest, published: Path) -> None:
    """Raise `RequestError` where a published board of this name has other content; metrics may have been added."""
    folder = published / request.track.name
    if not (folder / TRACK).exists():
        return
    known = read_request(folder)
    before = known.track.content
    differing = [name for name, value in request.track.content.items() if name != "metrics" and before[name] != value]
    if not set(known.track.metrics) <= set(request.track.metrics):
        differing.append("metrics")
    if known.training.train_sha256 != request.training.train_sha256:
        differing.append("training images")
    if known.scoring.key != request.scoring.key:
        differing.append("scoring protocol")
    if differing:
        raise RequestError(
            f"track {request.track.name!r}: the name is taken in {published} by a track with another "
            f"{', '.join(dict.fromkeys(differing))}: give yours another name"
        )


def _check_samples(entry: Entry) -> None:
    """Raise `RequestError` where the samples are there and are not those of the record."""
    if entry.run.samples is not None:
        try:
            read_samples(entry.folder, entry.run.samples)
        except FileNotFoundError:
            return


def _copy(entry: Entry, folder: Path) -> None:
    """Copy a run's record, its scores that the board shows, and its pictures."""
    if not _same_samples(entry, folder):
        shutil.rmtree(folder, ignore_errors=True)  # scores and pictures of other samples say nothing of these
    if not (entry.folder / VERIFIED).exists() and not _same(entry.folder / RUN, folder / RUN):
        (folder / VERIFIED).unlink(missing_ok=True)  # it is about another record
    for name in (RUN, VERIFIED, SAMPLES_PICTURE, TRAINING_PICTURE):
        source, target = entry.folder / name, folder / name
        if source.exists():
            content = source.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                write_bytes(target, content)
    for score in (*filter(None, [entry.score]), *entry.others.values()):
        path = f"{SCORES}/{score.key}.json"
        _merge_score(entry.folder / path, folder / path)


def _same(a: Path, b: Path) -> bool:
    return b.exists() and a.read_bytes() == b.read_bytes()


def _same_samples(entry: Entry, folder: Path) -> bool:
    """Tell whether the published copy of a run, where there is one, is of the same samples."""
    try:
        return read_run(folder / RUN).samples == entry.run.samples
    except RequestError:  # there is none, or it is damaged
        return False


def _merge_score(source: Path, target: Path) -> None:
    """Copy a score file; metrics that only the published one has stay. What adds nothing changes nothing."""
    try:
        there = decode(target, ScoreRecord, "score", SCHEMA)
    except RequestError:  # there is none, or it is damaged
        write_bytes(target, source.read_bytes())
        return
    merged = merge(there, decode(source, ScoreRecord, "score", SCHEMA))
    if merged.model_copy(update={"seconds": there.seconds, "provenance": there.provenance}) != there:
        merged.write(target)


def _would_undo(entry: Entry, folder: Path) -> bool:
    """Tell whether a run that failed, or was not scored, has a published copy that ended well."""
    try:
        return not entry.ok and read_run(folder / RUN).status is RunStatus.OK
    except RequestError:
        return False


def index(published: Path) -> str:
    """Return ``README.md``: one line a board, made from published runs so that it is the same everywhere."""
    lines = []
    for folder in sorted(path.parent for path in published.glob(f"*/{TRACK}")):
        try:
            request = read_request(folder)
            lines.append(_line(build_board(request, [Store(folder / "runs")])))
        except RequestError as error:
            lines.append(f"- {escape(folder.name)}: cannot be read: {escape(str(error), 240)}")
    intro = "Same data, same budget, training seeds as replicates. Each page says how its numbers were made."
    archive = [f"Older boards: [{path.name}]({path.name}/)." for path in sorted(published.glob("archive-*"))]
    return "\n\n".join(["# Leaderboards", intro, "\n".join(lines), *archive]) + "\n"


def _line(board: Board) -> str:
    models = f"{len(board.models)} model{'' if len(board.models) == 1 else 's'}"
    name = board.name
    return f"- [{name}]({name}.md): {escape(board.track.summary)}; {models}; {escape(first_place(board))}"
