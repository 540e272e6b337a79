"""How runs stand, and an index that never says more than the files do."""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path
from typing import Any

import pytest

from ganbench.store import index as index_module
from ganbench.store import status as status_module
from ganbench.store.checkpoint_header import BEFORE, LATEST, read_share
from ganbench.store.run_record import RunRecord
from ganbench.store.status import UNSCORED, age, letters, survey

from .factory import begin, checkpoint, protocol, put, run_record, score_record, sha, spec


def test_a_start_that_lies_ahead_has_no_age() -> None:
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    ages = {40: "40 s", 200: "3 min", 7300: "2 h", 5 * 86400: "5 d", -60: "?"}
    assert {seconds: age(now - datetime.timedelta(seconds=seconds), now) for seconds in ages} == ages
    assert age(None, now) == "?"


def test_keys_are_shown_as_far_as_they_differ() -> None:
    assert letters([]) == letters(["0123456789abcdef"]) == letters(["0123", "4567"]) == 8
    assert letters(["0123456789abcdef", "0123456789xbcdef", "f"]) == 11


def test_how_far_a_run_came_is_read_from_the_last_whole_header(tmp_path: Path) -> None:
    assert read_share(tmp_path) is None
    checkpoint(tmp_path, 0.2, BEFORE)
    checkpoint(tmp_path, 0.4, LATEST)
    assert read_share(tmp_path) == 0.4
    for damage in (b"", b"\xff\xfe", b"[" * 512, b"[]", b'{"ganbench_checkpoint": 1, "sha256": 3}'):
        (tmp_path / LATEST).write_bytes(damage)
        assert read_share(tmp_path) == 0.2
    checkpoint(tmp_path, "most", BEFORE)
    assert read_share(tmp_path) is None


def test_scores_of_the_test_split_are_shown_and_those_of_other_samples_are_not(tmp_path: Path) -> None:
    run = run_record()
    validation = protocol(split="validation", reference_sha256="0" * 64)
    many = {f"m{number}": 1.0 for number in range(5)}
    put(tmp_path, run, [score_record(run, validation, fid=1.0, **many), score_record(run, fid=20.0)])
    (entry,) = survey(tmp_path)
    assert (entry.scored, entry.metrics["fid"], entry.standing, entry.unscored) == (2, 20.0, "ok", False)
    assert (entry.label, entry.dataset, entry.budget, entry.precision, entry.seed_index) == (
        "tiny", "digits", "8kimg", "fp32", 0,
    )  # fmt: skip
    samples = {"file": "samples/final.npy", "n": 1000, "sha256": sha("other")}
    RunRecord.model_validate(run.model_dump() | {"samples": samples}).write(entry.folder / "run.json")
    (entry,) = survey(tmp_path)
    assert (entry.scored, entry.metrics, entry.standing) == (0, {}, "ok, not scored")
    assert UNSCORED not in status_module.STATUSES


@pytest.fixture
def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of three runs whose index was written, with the clock a while later than the files."""
    monkeypatch.setattr(index_module, "LEAST", 1)
    monkeypatch.setattr(index_module.time, "time_ns", lambda now=time.time_ns: now() + 10**10)
    for at in range(3):
        run = run_record("tiny", at)
        put(tmp_path, run, [score_record(run, fid=20.0 + at)])
    survey(tmp_path)
    assert (tmp_path / ".index").exists()
    return tmp_path


def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the keys of records are added that are read from now on."""
    keys = list[str]()
    real = status_module.read_run_summary

    def spy(folder: str, key: str) -> Any:
        keys.append(key)
        return real(folder, key)

    monkeypatch.setattr(status_module, "read_run_summary", spy)
    return keys


def test_what_the_index_knows_is_not_read_again(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = survey(indexed)
    keys = read(monkeypatch)
    assert survey(indexed) == before
    assert keys == []
    (indexed / ".index").unlink()
    assert survey(indexed) == before
    assert len(keys) == 3


def test_whatever_changes_is_read_again(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = survey(indexed)
    keys = read(monkeypatch)
    score = next(first.folder.glob("scores/*.json"))
    stamps = score.stat()
    score.write_text(score.read_text().replace('"value": 20.0', '"value": 10.0'))
    os.utime(score, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))  # of the same time and size, but edited
    (second.folder / "run.json").unlink()
    (third.folder / "run.json").write_text("{")
    one, *others = survey(indexed)
    assert (one.key, one.scored, one.metrics) == (first.key, 0, {})
    assert sorted((each.key, each.status) for each in others) == sorted(
        [(second.key, "interrupted"), (third.key, "damaged")]
    )
    assert sorted(keys) == sorted([first.key, second.key, third.key])
    run_record("tiny", 2, status="failed").write(third.folder / "run.json")
    assert [each.status for each in survey(indexed)] == ["ok", "interrupted", "failed"]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}", b"0" * 64 + b'\n{"version": 1, "runs": {}}', b"\xff" * 99], ids=len
)
def test_a_damaged_index_is_made_anew(indexed: Path, content: bytes) -> None:
    before, kept = survey(indexed), (indexed / ".index").read_bytes()
    (indexed / ".index").write_bytes(content)
    assert survey(indexed) == before
    assert (indexed / ".index").read_bytes() == kept


def test_files_that_are_a_moment_old_are_not_kept(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(index_module, "LEAST", 1)
    run = run_record("tiny", 7)
    put(indexed, run)
    survey(indexed)
    keys = read(monkeypatch)
    survey(indexed)
    assert run.key in keys


def test_a_store_that_cannot_be_written_to_is_listed(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    (indexed / ".index").unlink()
    monkeypatch.setattr(index_module, "write_bytes", refuse)
    assert len(survey(indexed)) == 3


def test_a_run_that_has_begun_says_what_was_asked_for(tmp_path: Path) -> None:
    folder = begin(tmp_path, spec("vae[latent_dim=4]", 3, budget="2steps"))
    (entry,) = survey(tmp_path)
    assert (entry.label, entry.seed_index, entry.budget, entry.standing) == (
        "vae[latent_dim=4]", 3, "2steps", "interrupted, not begun",
    )  # fmt: skip
    checkpoint(folder, 0.455)
    (entry,) = survey(tmp_path)
    assert entry.standing == "interrupted, at 46 %"
    (folder / "spec.json").write_text("{")
    (entry,) = survey(tmp_path)
    assert (entry.status, entry.label) == ("damaged", "?")
