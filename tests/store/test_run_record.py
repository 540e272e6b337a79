"""Records of runs: written, read again, refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.store.run_record import RunStatus, ended, read_run
from ganbench.util.checked_json import encode

from .factory import run_record, spec


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_record_survives_its_file(tmp_path: Path, status: RunStatus) -> None:
    record = run_record(status=status)
    record.write(tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == record
    again = tmp_path / "again.json"
    read_run(tmp_path / "run.json").write(again)
    assert again.read_bytes() == (tmp_path / "run.json").read_bytes()


@pytest.mark.parametrize("flops", [None, 0.0, 1.25e12])
def test_flops_are_known_or_not(tmp_path: Path, flops: float | None) -> None:
    run_record(flops=flops).write(tmp_path / "run.json")
    assert read_run(tmp_path / "run.json").flops == flops


def test_a_record_from_before_flops_were_counted_is_read(tmp_path: Path) -> None:
    content = run_record().model_dump(mode="json", by_alias=True)
    del content["flops"]
    (tmp_path / "run.json").write_bytes(encode(content))
    assert read_run(tmp_path / "run.json") == run_record()


@pytest.mark.parametrize("flops", [-1.0, float("inf")])
def test_flops_that_cannot_be_are_damage(tmp_path: Path, flops: float) -> None:
    content = run_record().model_dump(mode="json", by_alias=True)
    raw = encode(content | {"flops": -1.0 if flops < 0 else 123456.0}).replace(b"123456.0", b"1e999")
    head, _, body = raw.partition(b"\n")
    head = head[:14] + hashlib.sha256(body).hexdigest().encode() + head[78:]
    (tmp_path / "run.json").write_bytes(head + b"\n" + body)
    with pytest.raises(RequestError, match="damaged .flops"):
        read_run(tmp_path / "run.json")


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-40], lambda raw: b"", lambda raw: b"\xff\xfe", lambda raw: b"[]", lambda raw: b"{}",
        lambda raw: raw.replace(b'"ok"', b'"fine"'), lambda raw: raw.replace(b'"n": 1000', b'"n": "many"'),
        lambda raw: raw.replace(b'"checksum": "', b'"checksum": "0'), lambda raw: b"[" * 100_000,
    ],
    ids=["cut off", "empty", "binary", "list", "object", "status", "type", "checksum", "brackets"],
)  # fmt: skip
def test_a_damaged_record_is_named_in_one_line(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "run.json"
    run_record().write(path)
    raw = path.read_bytes()
    path.write_bytes(damage(raw))
    assert path.read_bytes() != raw
    with pytest.raises(RequestError, match="damaged|changed after it was written") as refusal:
        read_run(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_or_of_another_schema_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"missing\.json: cannot be read"):
        read_run(tmp_path / "missing.json")
    run_record(schema_version=3).write(tmp_path / "run.json")
    with pytest.raises(RequestError, match="has schema '3', and this version of ganbench reads 4"):
        read_run(tmp_path / "run.json")


def test_what_a_row_is_averaged_over() -> None:
    record = run_record("vae[latent_dim=64]")
    assert record.row == ("vae[latent_dim=64]", "ab" * 32)


def test_a_run_that_ended_badly_has_a_record_of_what_is_known() -> None:
    asked = spec()
    record = ended(asked, RunStatus.KILLED, "killed by signal 9", images=64)
    assert (record.key, record.status, record.images, record.samples) == (asked.key, RunStatus.KILLED, 64, None)
