"""A trial is found by key, first letters, folder and record, under `runs` and among published records."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.store.lookup import find_folder, find_record

from ..boards.factory import make

HERE, BEGUN, PUBLISHED = "abc1", "abd2", "abe3"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """One trial with a record, one without, one that is published and one record that bears another's name."""
    runs, records = tmp_path / "runs", tmp_path / "boards" / "tiny-quick" / "records"
    make("a", key=HERE).write(runs / HERE / "record.json")
    (runs / BEGUN).mkdir()
    (runs / BEGUN / "trial.json").write_text("{}")
    make("a", key=PUBLISHED).write(records / f"{PUBLISHED}.json")
    make("a", key=HERE, fid=9.0).write(records / f"{HERE}.json")
    make("a", key="else").write(records / "afff.json")
    return runs


def test_a_folder_is_found_by_whatever_names_it(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = runs.parent / "boards" / "tiny-quick" / "records"
    for key in (HERE, "abc", str(runs / HERE), str(runs / HERE / "record.json"), str(records / f"{HERE}.json")):
        assert find_folder(key, runs) == runs / HERE
    assert find_folder("abd", runs) == runs / BEGUN
    monkeypatch.chdir(runs)
    (runs / "abd").touch()  # a file that merely has such a name is no trial
    assert find_folder("abd", runs) == runs / BEGUN
    monkeypatch.chdir(runs / HERE)
    assert find_folder(".", runs) == Path()


def test_a_record_is_found_locally_first_then_among_published_ones(runs: Path) -> None:
    boards = runs.parent / "boards"
    path, record = find_record("abc", runs, boards)
    assert (path, record.metrics["fid"].value) == (runs / HERE / "record.json", 20.0)
    published = boards / "tiny-quick" / "records" / f"{PUBLISHED}.json"
    for key in (PUBLISHED, "abe", str(published)):
        assert find_record(key, runs, boards)[0] == published
        assert find_record(key, runs.parent / "nowhere", boards)[1].key == PUBLISHED
    make("a", key=BEGUN).write(published.with_name(f"{BEGUN}.json"))
    assert find_record("abd", runs, boards)[0].stem == BEGUN  # its trial here is unfinished


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "2 trials of that key"),
        ("ab", "2 trials of that key"),
        ("x", "no record of that key under"),
        ("x" * 400, "no record of that key under"),
        ("abd", "no record: the same `ganbench run` goes on with it"),
        ("RUNS/abd2", "no record: the same `ganbench run` goes on with it"),
        ("RUNS", "no folder of a trial"),
        ("RUNS/zzz", "no such file or folder"),
        ("zzz.json", "no such file or folder"),
        ("RUNS/" + "x" * 400, "name too long"),
        ("afff", "of another trial, else"),
    ],
)
def test_what_is_not_there_is_said(runs: Path, key: str, said: str) -> None:
    with pytest.raises(RequestError) as refusal:
        find_record(key.replace("RUNS", str(runs)), runs, runs.parent / "boards")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_letters_that_begin_two_published_records_are_not_enough(runs: Path) -> None:
    with pytest.raises(RequestError, match="3 published records of that key"):
        find_record("a", runs.parent / "nowhere", runs.parent / "boards")
    with pytest.raises(RequestError, match="no trial of that key"):
        find_folder(PUBLISHED, runs)
