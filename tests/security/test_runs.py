"""Runs and records from a stranger: read, not run, and they stay where they are."""

from __future__ import annotations

import io
import pickle
import shutil
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

import ganbench
from ganbench.boards.board import build_board
from ganbench.boards.publish import publish
from ganbench.boards.write import write_board
from ganbench.errors import RequestError
from ganbench.experiment.protocols import resolve
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.store.run_record import RunRecord, read_run
from ganbench.store.store import Store
from ganbench.training.checkpoint import BEFORE, LATEST, read_checkpoint

from ..conftest import Answer, Smoke, at, stored
from .attacks import FORMS, NAMES, Code, as_pickle, put_checkpoint, refused

Command = Callable[..., Answer]


def test_the_attack_itself_works(tmp_path: Path) -> None:
    made = tmp_path / "made"
    pickle.loads(as_pickle(Code(made)))
    assert made.exists()


@FORMS
def test_a_checkpoint_is_not_unpickled(
    command: Command, run_folder: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    for put in (put_checkpoint, lambda folder, content: (folder / "checkpoint.pt").write_bytes(content)):
        put(run_folder, form(code))
        with pytest.raises(RequestError, match=run_folder.name) as refusal:
            ganbench.load(run_folder)
        assert "\n" not in str(refusal.value)
        assert run_folder.name in refused(command("sample", run_folder, "--export", run_folder / "samples.png"))


@FORMS
def test_what_training_would_go_on_from_is_not_unpickled(
    tmp_path: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    put_checkpoint(tmp_path, form(code))
    (tmp_path / "checkpoint.pt").rename(tmp_path / LATEST)
    (tmp_path / BEFORE).write_bytes(form(code))
    assert [len(found) if found else None for found in read_checkpoint(tmp_path)] == [None, 2]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", b"\x80\x02.", b"\x80\x02}q\x00(X\x05", b"PK\x03\x04", b"\x00" * 64, pickle.dumps([1, 2]), b"0."],
    ids=lambda content: content[:8].hex(),
)
def test_a_checkpoint_that_is_none_is_one_line(run_folder: Path, content: bytes) -> None:
    put_checkpoint(run_folder, content)
    with pytest.raises(RequestError):
        ganbench.load(run_folder)


@pytest.mark.parametrize("state", [[], {}, {"data": []}, {"data": {}}, {"data": {"shape": "x"}}, 3])
def test_a_checkpoint_of_something_else_is_one_line(run_folder: Path, state: object) -> None:
    torch.save(state, stream := io.BytesIO())
    put_checkpoint(run_folder, stream.getvalue())
    with pytest.raises(RequestError):
        ganbench.load(run_folder)


def test_a_run_folder_cannot_bring_its_model(
    command: Command, run_folder: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = run_folder / "brought.py"
    file.write_text(f"open({str(marker)!r}, 'w').close()\nimport ganbench\nclass Mine(ganbench.Model): ...\n")
    monkeypatch.chdir(run_folder)
    monkeypatch.syspath_prepend(str(run_folder))
    record = read_run(run_folder / "run.json")
    for path in (f"{file}:Mine", "brought.py:Mine", "./brought.py:Mine", "brought:Mine"):
        spec = record.spec.model_copy(update={"import_path": path})
        record.model_copy(update={"spec": spec}).write(run_folder / "run.json")
        with pytest.raises(RequestError):
            ganbench.load(run_folder)
        refused(command("sample", run_folder, "--export", run_folder / "samples.png"))
    sys.modules.pop("brought", None)


@FORMS
def test_a_record_is_not_unpickled(command: Command, tmp_path: Path, code: Code, form: Callable[[Code], bytes]) -> None:
    path = tmp_path / "runs" / "0123456789abcdef" / "run.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(form(code))
    with pytest.raises(RequestError, match="damaged"):
        read_run(path)
    words = ("board", *at(tmp_path), "--track", "digits-smoke")
    assert "no run of it" in refused(command(*words))


@FORMS
def test_samples_are_not_unpickled(
    command: Command, run_folder: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    (run_folder / "samples" / "final.npy").write_bytes(form(code))
    assert "samples/final.npy: cannot be read" in refused(command("evaluate", run_folder))
    shutil.rmtree(run_folder / "scores")
    answer = command("score", run_folder.name, *at(run_folder.parents[1]))
    assert answer.status == 1
    assert "cannot be read" in answer.out


def test_samples_do_not_lead_out_of_their_folder(command: Command, run_folder: Path, tmp_path: Path) -> None:
    record = read_run(run_folder / "run.json")
    assert record.samples is not None
    shutil.copy(run_folder / "samples" / "final.npy", tmp_path / "outside.npy")
    outside = record.samples.model_copy(update={"file": "../../outside.npy"})
    record.model_copy(update={"samples": outside}).write(run_folder / "run.json")
    assert "leads out of its run's folder" in refused(command("evaluate", run_folder))


def test_a_record_of_brackets_without_end_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for content in ("[" * 100_000, '{"schema":' * 100_000):
        path.write_text(content)
        with pytest.raises(RequestError, match="damaged"):
            read_run(path)


def edited(record: RunRecord, folder: Path, field: str, value: str) -> None:
    """Write a record with another key or label to a run folder, as a stranger's ganbench might."""
    if field == "key":
        changed = record.model_copy(update={"key": value})
    else:
        info = record.spec.model_info.model_copy(update={field: value})
        changed = record.model_copy(update={"spec": record.spec.model_copy(update={"model_info": info})})
    changed.write(folder / "run.json")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["key", "label", "name"])
def test_names_in_a_record_do_not_lead_out_of_its_board(
    smoke: Smoke, tmp_path: Path, registry: Registry, field: str, name: str
) -> None:
    boards, runs = tmp_path / "deep" / "boards", tmp_path / "deep" / "runs"
    source = stored(smoke.runs)["dcgan"]
    assert source.record is not None
    folder = Path(shutil.copytree(source.folder, runs / source.key))
    before = set(runs.rglob("*"))
    edited(source.record, folder, field, name)
    track = find_track("digits-smoke", registry).with_budget("5steps")
    request = resolve(track, registry).board
    write_board(build_board(request, [Store(runs)]), boards)
    with pytest.raises(RequestError):
        publish(request, Store(runs), tmp_path / "deep" / "published", known_sources={})
    assert set(tmp_path.iterdir()) == {tmp_path / "deep"}
    assert set((tmp_path / "deep").iterdir()) <= {boards, runs, tmp_path / "deep" / "published"}
    assert set(runs.rglob("*")) == before
    inside = {found.relative_to(boards).parts[0] for found in boards.rglob("*")}
    assert inside <= {track.name, f"{track.name}.csv", f"{track.name}-runs.csv", f"{track.name}.md"}


def test_a_runs_picture_is_read_as_png_alone(smoke: Smoke, tmp_path: Path, registry: Registry) -> None:
    source = stored(smoke.runs)["dcgan"]
    shutil.copytree(source.folder, tmp_path / "runs" / source.key)
    track = find_track("digits-smoke", registry).with_budget("5steps")
    picture = tmp_path / "runs" / source.key / "samples.png"
    for content in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", bomb()):
        picture.write_bytes(content)
        write_board(build_board(resolve(track, registry).board, [Store(tmp_path / "runs")]), tmp_path / "boards")
        assert not list((tmp_path / "boards" / track.name).glob("[!c]*.png"))


def bomb() -> bytes:
    """A PNG that says it has 90,000 x 90,000 pixels."""
    Image.new("L", (1, 1)).save(stream := io.BytesIO(), "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (90_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)
