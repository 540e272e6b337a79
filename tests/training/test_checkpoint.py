"""Checkpoints on disk: whole, checked, the last good one kept, and written beside training."""

from __future__ import annotations

import errno
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench.training import checkpoint
from ganbench.training.checkpoint import (
    BEFORE,
    HEADER,
    LATEST,
    CheckpointWriter,
    Damaged,
    read_checkpoint,
    read_file,
    read_header,
    remove_checkpoints,
)


def write(folder: Path, *numbers: int) -> None:
    writer = CheckpointWriter(folder, 0.0)
    for number in numbers:
        writer.save(lambda number=number: {"number": number, "tensor": torch.full((50,), number)}, {"images": number})
    writer.wait()


def test_what_was_written_is_read_with_its_facts(tmp_path: Path) -> None:
    write(tmp_path, 1)
    found = read_checkpoint(tmp_path)
    assert found.state is not None
    assert found.state["number"] == 1
    assert found.state["tensor"].tolist() == [1] * 50
    assert found.damaged == []
    assert read_header(tmp_path / LATEST)["images"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [LATEST]


def test_without_a_checkpoint_there_is_no_state(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) == (None, [])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda raw: raw[: len(raw) // 2],
    "header alone": lambda raw: raw[:HEADER],
    "half a header": lambda raw: raw[:20],
    "empty": lambda raw: b"",
    "a bit": lambda raw: raw[:-300] + bytes([raw[-300] ^ 4]) + raw[-299:],
    "longer": lambda raw: raw + b"x",
    "another format": lambda raw: raw.replace(b'"ganbench_checkpoint": 2', b'"ganbench_checkpoint": 9', 1),
    "plain torch": lambda raw: raw[HEADER:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_named_and_the_one_before_it_is_read(tmp_path: Path, damage: Callable) -> None:
    write(tmp_path, 1, 2)
    latest = tmp_path / LATEST
    latest.write_bytes(damage(latest.read_bytes()))
    with pytest.raises(Damaged, match=str(latest)):
        read_file(latest)
    state, damaged = read_checkpoint(tmp_path)
    assert state is not None
    assert state["number"] == 1
    assert len(damaged) == 1
    (tmp_path / BEFORE).unlink()
    assert read_checkpoint(tmp_path).state is None


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "was here",)

    write(tmp_path, 1)
    stream = io.BytesIO()
    stream.write(b" " * HEADER)
    checkpoint._encode(stream, {"model": Attack()}, {})  # sealed as one of ours would be
    (tmp_path / LATEST).write_bytes(stream.getvalue())
    with pytest.raises(Damaged):
        read_file(tmp_path / LATEST)
    assert not (tmp_path / "was here").exists()


def test_training_waits_only_while_the_state_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "atomic_write", lambda *words, **more: time.sleep(0.3))
    writer = CheckpointWriter(tmp_path, 0.0)
    start = time.perf_counter()
    writer.save(lambda: {}, {})
    assert time.perf_counter() - start < 0.2
    assert not writer.due(time.perf_counter())  # while one is being written there is no next one
    writer.wait()
    assert writer.due(time.perf_counter())


def test_the_more_a_checkpoint_costs_the_longer_until_the_next(tmp_path: Path) -> None:
    writer = CheckpointWriter(tmp_path, 0.01)
    assert writer.due(time.perf_counter() + 0.01)
    writer.save(lambda: time.sleep(0.05) or {}, {})  # type: ignore[func-returns-value]
    writer.wait()
    now = time.perf_counter()
    assert not writer.due(now + 4.5)
    assert writer.due(now + 60)
    writer.give_up()
    assert not writer.due(now + 1e9)


def test_an_error_of_writing_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(checkpoint, "atomic_write", full)
    writer = CheckpointWriter(tmp_path, 0.0)
    writer.save(lambda: {}, {})
    with pytest.raises(OSError, match="full"):
        writer.wait()
    writer.wait()


def test_facts_fit_their_place(tmp_path: Path) -> None:
    writer = CheckpointWriter(tmp_path, 0.0)
    writer.save(lambda: {}, {"key": "k" * HEADER})
    with pytest.raises(ValueError, match="header"):
        writer.wait()
    assert list(tmp_path.iterdir()) == []


def test_removed_is_removed(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    assert len(list(tmp_path.iterdir())) == 2
    assert json.loads((tmp_path / BEFORE).read_bytes()[:HEADER])["images"] == 1
    remove_checkpoints(tmp_path)
    remove_checkpoints(tmp_path)
    assert list(tmp_path.iterdir()) == []
