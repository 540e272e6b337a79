"""A run is found by key, first letters, folder and file, under `runs` and among published ones."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from ganbench.errors import RequestError
from ganbench.store.lookup import find_folder, find_run, published_stores

from .factory import begin, put, run_record, score_record, sha, spec


class Place(NamedTuple):
    """A run with a record, one without, one that is published, and one that is both; letters that two share."""

    runs: Path
    published: Path
    here: str
    begun: str
    elsewhere: str
    shared: str


@pytest.fixture
def place(tmp_path: Path) -> Place:
    runs, published = tmp_path / "runs", tmp_path / "published"
    store = published / "tiny-quick" / "runs"
    here, elsewhere = run_record("here"), run_record("elsewhere")
    put(runs, here, [score_record(here)])
    put(store, here.model_copy(update={"images": 5}))
    put(store, elsewhere)
    put(published / "another-track" / "runs", elsewhere)  # one run may stand on two boards
    for folder in store.iterdir():
        (folder / "spec.json").unlink()
        (folder / "runtime.json").unlink()
    begun = begin(runs, spec("begun")).name
    # A key is a hash: look for two that begin alike.
    found: dict[str, int] = {}
    for number in range(1000):
        start = spec("many", number).key[:2]
        if start in found and not any(key.startswith(start) for key in (here.key, begun, elsewhere.key)):
            for each in (number, found[start]):
                put(store, run_record("many", each))
            return Place(runs, published, here.key, begun, elsewhere.key, start)
        found[start] = number
    raise AssertionError


def test_a_folder_is_found_by_whatever_names_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.runs / place.here
    published = place.published / "tiny-quick" / "runs" / place.here
    score = next(folder.glob("scores/*.json"))
    for key in (place.here, place.here[:10], folder, folder / "run.json", score, published / "run.json", published):
        assert find_folder(str(key), place.runs) == folder
    assert find_folder(place.begun[:10], place.runs) == place.runs / place.begun
    alone = place.published / "tiny-quick" / "runs" / place.elsewhere
    assert find_folder(str(alone / "run.json"), place.runs) == alone
    monkeypatch.chdir(place.runs)
    (place.runs / place.begun[:9]).touch()  # a file that merely has such a name is no run
    assert find_folder(place.begun[:9], place.runs) == place.runs / place.begun
    monkeypatch.chdir(folder)
    assert find_folder(".", place.runs) == Path()


def test_a_record_is_found_locally_first_then_among_published_ones(place: Place) -> None:
    path, record = find_run(place.here[:10], place.runs, place.published)
    assert (path, record.images) == (place.runs / place.here / "run.json", 8000)
    assert [store.root.parent.name for store in published_stores(place.published)] == ["another-track", "tiny-quick"]
    published = place.published / "another-track" / "runs" / place.elsewhere / "run.json"
    for key in (place.elsewhere, place.elsewhere[:10], str(published), str(published.parent)):
        assert find_run(key, place.runs, place.published)[0] == published
        assert find_run(key, place.runs / "nowhere", place.published)[1].key == place.elsewhere
    put(place.published / "tiny-quick" / "runs", run_record("begun"))
    # The run of that key is unfinished here.
    assert find_run(place.begun[:10], place.runs, place.published)[0].parent.parent.parent.name == "tiny-quick"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "2 runs of that key"),
        ("x", "no run of that key under"),
        ("x" * 400, "no run of that key under"),
        ("BEGUN", "no record yet: the same `ganbench run` continues it"),
        ("RUNS/BEGUN", "no record yet: the same `ganbench run` continues it"),
        ("RUNS", "not the folder of a run"),
        ("RUNS/zzz", "no such file or folder"),
        ("zzz.json", "no such file or folder"),
        ("RUNS/" + "x" * 400, "name too long"),
        ("SHARED", "2 published runs of that key"),
    ],
)
def test_what_is_not_there_is_said(place: Place, key: str, said: str) -> None:
    named = key.replace("RUNS", str(place.runs)).replace("BEGUN", place.begun).replace("SHARED", place.shared)
    with pytest.raises(RequestError) as refusal:
        find_run(named, place.runs, place.published)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_published_run_is_not_found_as_a_folder_by_its_key(place: Place) -> None:
    with pytest.raises(RequestError, match="no run of that key"):
        find_folder(place.elsewhere, place.runs)


def test_a_record_under_a_key_that_is_not_its_own_is_refused(place: Place, tmp_path: Path) -> None:
    forged = run_record("here").model_copy(update={"key": sha("forged")[:16]})
    forged.write(tmp_path / "copy" / "run.json")
    with pytest.raises(RequestError, match="its key is not that of what it says was trained"):
        find_run(str(tmp_path / "copy"), place.runs, place.published)
    run_record("here").write(tmp_path / "copy" / "run.json")  # the name of a copy's folder does not matter
    assert find_run(str(tmp_path / "copy"), place.runs, place.published)[1].key == place.here
    forged.write(place.published / "tiny-quick" / "runs" / forged.key / "run.json")
    with pytest.raises(RequestError, match="its key is not that of what it says was trained"):
        find_run(forged.key, place.runs, place.published)
