"""Runs and records from a stranger: read, not run, and they stay where they are."""

from __future__ import annotations

import io
import json
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
from ganbench.boards.publish import publish
from ganbench.errors import RequestError
from ganbench.store.run_record import Record, read_record
from ganbench.training.checkpoint import BEFORE, LATEST, read_checkpoint

from ..conftest import Answer, Smoke
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
        assert run_folder.name in refused(command("sample", run_folder, "--out", run_folder / "samples.png"))
        assert run_folder.name in refused(command("evaluate", run_folder))


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
    trial = json.loads((run_folder / "trial.json").read_text())
    for address in (f"{file}:Mine", "brought.py:Mine", "./brought.py:Mine", "brought:Mine"):
        (run_folder / "trial.json").write_text(json.dumps(trial | {"address": address}))
        with pytest.raises(RequestError):
            ganbench.load(run_folder)
        refused(command("sample", run_folder, "--out", run_folder / "samples.png"))
    sys.modules.pop("brought", None)


@FORMS
def test_a_record_is_not_unpickled(
    command: Command, smoke: Smoke, tmp_path: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    path = tmp_path / "runs" / "0123456789abcdef" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(form(code))
    with pytest.raises(RequestError, match="damaged or foreign"):
        read_record(path)
    words = ("leaderboard", "--out", path.parents[1], "--boards", tmp_path / "boards", "--track", "digits-smoke")
    assert "1 refused" in refused(command(*words))


def test_a_record_of_brackets_without_end_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    for content in ("[" * 100_000, '{"schema":' * 100_000):
        path.write_text(content)
        with pytest.raises(RequestError, match="damaged or foreign"):
            read_record(path)


def edited(record: Record, folder: Path, field: str, value: str) -> Record:
    """Write a record with another key, label or track to a run folder, as a stranger's ganbench might; return it."""
    if field == "key":
        changed = record.model_copy(update={"key": value})
    elif field == "label":
        changed = record.model_copy(update={"about": record.about.model_copy(update={"label": value})})
    else:
        protocol = record.track.protocol.model_copy(update={"name": value})
        changed = record.model_copy(update={"track": record.track.model_copy(update={"protocol": protocol})})
    changed.write(folder / "record.json")
    return changed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["key", "label", "track"])
def test_names_in_a_record_do_not_lead_out_of_its_board(smoke: Smoke, tmp_path: Path, field: str, name: str) -> None:
    boards, runs = tmp_path / "deep" / "boards", tmp_path / "deep" / "runs"
    path = sorted(smoke.runs.glob("*/samples.png"))[0]
    folder = runs / "run"
    folder.mkdir(parents=True)
    shutil.copy(path, folder)
    record = read_record(path.with_name("record.json"))
    track = record.track.protocol.name
    edited(record, folder, field, name)
    for wanted in (track, name):
        try:
            board = publish(wanted, runs, boards)
        except RequestError as error:
            assert field != "label" or wanted == name, error
        else:
            assert (field, wanted) == ("label", track), board
    assert set(tmp_path.iterdir()) == {tmp_path / "deep"}
    assert set((tmp_path / "deep").iterdir()) <= {boards, runs}
    assert set(runs.rglob("*")) == {folder, folder / "record.json", folder / "samples.png"}
    inside = {found.relative_to(boards).parts[0] for found in boards.rglob("*")}
    assert inside <= {"README.md", track, f"{track}.csv", f"{track}-trials.csv", f"{track}.md"}


def test_a_runs_picture_is_read_as_png_alone(smoke: Smoke, tmp_path: Path) -> None:
    path = sorted(smoke.runs.glob("*/samples.png"))[0]
    shutil.copytree(path.parent, tmp_path / "runs" / path.parent.name)
    track = read_record(path.with_name("record.json")).track.protocol.name
    picture = tmp_path / "runs" / path.parent.name / "samples.png"
    for content in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", bomb()):
        picture.write_bytes(content)
        publish(track, tmp_path / "runs", tmp_path / "boards")
        assert not list((tmp_path / "boards" / track).glob("[!c]*.png"))


def bomb() -> bytes:
    """A PNG that says it has 90,000 x 90,000 pixels."""
    Image.new("L", (1, 1)).save(stream := io.BytesIO(), "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (90_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)
