"""What is cleaned away, and what never is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ganbench.store.clean import Cleaned, clean
from ganbench.store.run_record import CurvePoint, RunRecord, RunStatus
from ganbench.store.samples import write_samples
from ganbench.store.store import Store
from ganbench.util.atomic_io import sha256_of

from ..holder import holding
from .factory import begin, checkpoint, put, run_record, score_record, spec

IMAGES = np.zeros((10, 1, 4, 4), np.uint8)


def trained(root: Path, label: str = "tiny", *, status: str = "ok", role: str = "model") -> RunRecord:
    """Write a run with samples, a checkpoint, two checkpoints to resume from, and partial files."""
    folder = begin(root, spec(label, role=role))
    final = write_samples(folder, "final", IMAGES)
    point = CurvePoint(images=9, steps=1, seconds=0.1, samples=write_samples(folder, "at-9", IMAGES))
    for name in ("checkpoint.pt", "resume.pt", "resume-before.pt"):
        checkpoint(folder, 0.5, name)
    record = run_record(spec(label, role=role), status=status).model_copy(
        update={"samples": final, "curve": [point], "files": {"checkpoint.pt": sha256_of(folder / "checkpoint.pt")}}
    )
    put(root, record, [score_record(record)])
    for partial in (".run.json.a2c4e_g8", "samples/.final.npy.a2c4e_g8", "scores/.x.json.a2c4e_g8"):
        (folder / partial).write_bytes(b"half")
    for kept in ("samples.png", "log.txt", "curve.csv", ".reserve"):
        (folder / kept).touch()
    return record


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


PARTIAL = {".run.json.a2c4e_g8", "samples/.final.npy.a2c4e_g8", "scores/.x.json.a2c4e_g8"}
RESUME = {"resume.pt", "resume-before.pt"}


@pytest.mark.parametrize("curves", [False, True])
def test_what_can_be_made_again_goes_and_nothing_else(tmp_path: Path, curves: bool) -> None:
    record = trained(tmp_path)
    folder = tmp_path / record.key
    before = files(folder)
    expected = PARTIAL | RESUME | {"samples/final.npy"} | ({"samples/at-9.npy"} if curves else set())
    sizes = {name: (folder / name).stat().st_size for name in expected}
    (told,) = clean(Store(tmp_path), curves=curves, dry_run=True)
    assert (told.files, files(folder)) == (sizes, before)
    (done,) = clean(Store(tmp_path), curves=curves)
    assert (done.key, done.label, done.files, done.notes) == (record.key, "tiny", sizes, [])
    assert done.freed == sum(sizes.values())
    assert files(folder) - {"lock", "scores/lock"} == before - expected
    assert Store(tmp_path).read(record.key) == record
    (again,) = clean(Store(tmp_path), curves=curves)
    assert again == Cleaned(record.key, "tiny")


def test_samples_stay_where_nothing_can_draw_them_again(tmp_path: Path) -> None:
    gone, other, floor = (trained(tmp_path, label) for label in ("gone", "other", "unhashed"))
    (tmp_path / gone.key / "checkpoint.pt").unlink()
    checkpoint(tmp_path / other.key, 0.7, "checkpoint.pt")
    floor.model_copy(update={"files": {}}).write(tmp_path / floor.key / "run.json")
    baseline = trained(tmp_path, "noise", role="floor")
    notes = {each.label: each.notes for each in clean(Store(tmp_path))}
    assert notes == {
        "gone": ["samples kept: there is no checkpoint.pt to draw them from again"],
        "other": ["samples kept: checkpoint.pt is not the one that drew them"],
        "unhashed": ["samples kept: checkpoint.pt is not the one that drew them"],
        "noise": ["samples kept: it is a baseline without a checkpoint"],
    }
    for record in (gone, other, floor, baseline):
        assert "samples/final.npy" in files(tmp_path / record.key)


def test_a_run_that_is_in_work_is_left_alone(tmp_path: Path) -> None:
    record = trained(tmp_path)
    folder = tmp_path / record.key
    before = files(folder)
    with holding(folder):
        for dry_run in (True, False):
            (told,) = clean(Store(tmp_path), curves=True, dry_run=dry_run)
            assert (told.files, told.notes) == ({}, ["left alone: another command is at work on it"])
    assert files(folder) - {"lock"} == before


def test_scores_that_are_being_written_are_left_alone(tmp_path: Path) -> None:
    record = trained(tmp_path)
    with holding(tmp_path / record.key / "scores"):
        for dry_run in (True, False):
            (told,) = clean(Store(tmp_path), dry_run=dry_run)
            assert told.files.keys() == (PARTIAL | RESUME | {"samples/final.npy"}) - {"scores/.x.json.a2c4e_g8"}


def test_a_run_that_can_go_on_keeps_its_checkpoint_and_a_damaged_one_everything(tmp_path: Path) -> None:
    begun, damaged = (tmp_path / trained(tmp_path, label).key for label in ("begun", "damaged"))
    (begun / "run.json").unlink()
    (damaged / "run.json").write_text("{")
    before = files(damaged)
    told = {each.key: each for each in clean(Store(tmp_path), curves=True)}
    assert told[begun.name].files.keys() == PARTIAL
    assert told[damaged.name].files == {}
    assert "run.json: damaged" in told[damaged.name].notes[0]
    assert files(damaged) == before


def test_a_failed_run_says_that_a_retry_begins_anew(tmp_path: Path) -> None:
    trained(tmp_path, status=RunStatus.TIMEOUT)
    (told,) = clean(Store(tmp_path))
    assert told.notes == ["it ended as timeout: without resume-before.pt a retry begins at the first step"]


def test_only_the_keys_that_are_named_are_cleaned(tmp_path: Path) -> None:
    one, other = trained(tmp_path, "one"), trained(tmp_path, "other")
    assert [each.key for each in clean(Store(tmp_path), [one.key])] == [one.key]
    assert "samples/final.npy" in files(tmp_path / other.key)


def test_a_record_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    record = trained(runs)
    folder = runs / record.key
    mine = tmp_path / "mine.npy"
    mine.touch()
    (folder / "samples" / "linked.npy").symlink_to(mine)
    assert record.samples is not None
    names = ("../../mine.npy", str(mine), "run.json", "samples/../run.json", "samples/linked.npy")
    for name in names:
        samples = record.samples.model_copy(update={"file": name})
        point = record.curve[0].model_copy(update={"samples": samples})
        record.model_copy(update={"samples": samples, "curve": [point]}).write(folder / "run.json")
        (told,) = clean(Store(runs), curves=True)
        assert told.files.keys() <= PARTIAL | RESUME, name
        assert mine.exists()
        assert os.path.lexists(folder / "samples" / "linked.npy")


def test_a_run_that_cannot_be_locked_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> bool:
        raise PermissionError(13, "Permission denied")

    record = trained(tmp_path)
    before = files(tmp_path / record.key)
    monkeypatch.setattr("ganbench.store.clean.Lock.acquire", refuse)
    (told,) = clean(Store(tmp_path))
    assert told.notes == ["left alone: it cannot be locked (Permission denied)"]
    assert files(tmp_path / record.key) == before
