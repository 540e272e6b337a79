"""The store: records and scores that are not trusted unseen, and nothing that is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.store import store as store_module
from ganbench.store.locks import locked
from ganbench.store.run_record import RunRecord
from ganbench.store.store import Store
from ganbench.util.atomic_io import sha256_of

from .factory import begin, protocol, put, run_record, score_record, sha, spec

SHIFT = {"samples": {"file": "samples/final.npy", "n": 1000, "sha256": sha("other samples")}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


def test_a_record_is_read_with_the_hash_of_its_file(store: Store) -> None:
    record = run_record()
    assert store.read(record.key) is None
    assert store.read_with_sha(record.key) is None
    put(store.root, record)
    assert store.read(record.key) == record
    found = store.read_with_sha(record.key)
    assert found is not None
    assert (found.record, found.sha256) == (record, sha256_of(store.folder(record.key) / "run.json"))


def test_a_record_is_read_under_its_key_alone(store: Store) -> None:
    record = run_record()
    record.write(store.folder("other") / "run.json")
    with pytest.raises(RequestError, match=f"of another run, {record.key}"):
        store.read("other")


def test_a_record_whose_key_was_made_up_is_refused(store: Store) -> None:
    record = run_record()
    forged = RunRecord(**(record.model_dump() | {"spec": spec("tiny", 7)}))
    forged.write(store.folder(record.key) / "run.json")  # with a checksum that matches
    with pytest.raises(RequestError, match="its key is not that of what it says was trained"):
        store.read(record.key)


def test_an_edited_record_is_not_trusted_and_set_aside_not_deleted(store: Store) -> None:
    record = run_record()
    path = store.folder(record.key) / "run.json"
    for number in (1, 2):
        record.write(path)
        edited = path.read_text().replace('"images": 8000', '"images": 9000')
        path.write_text(edited)
        with pytest.raises(RequestError, match="changed after it was written"):
            store.read(record.key)
        aside = store.set_aside(record.key)
        assert (aside.name, aside.read_text()) == (f"run-before-{number}.json", edited)
        assert store.read(record.key) is None
    store.set_aside(record.key)  # there is none any more


def test_a_key_is_found_by_its_beginning(store: Store) -> None:
    for key in ("abc1", "abd2", "abd2x"):
        store.folder(key).mkdir(parents=True)
        (store.folder(key) / "spec.json").write_text("{}")
    store.folder("no run").mkdir()
    (store.root / "file").touch()
    (store.root / ".lock-1" / "run.json").mkdir(parents=True)
    assert store.keys() == ["abc1", "abd2", "abd2x"]
    assert store.find("abc") == "abc1"
    assert store.find("abd2") == "abd2"
    for start, said in (("ab", "3 runs"), ("x", "no run"), ("", "3 runs"), ("../x", "no run")):
        with pytest.raises(RequestError, match=said):
            store.find(start)


def test_a_store_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.keys() == []
    assert list(store.records()) == []
    store.root.touch()
    with pytest.raises(RequestError, match="runs: cannot be read .Not a directory"):
        store.keys()

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)  # a folder of mode 000, which root may read
    with pytest.raises(RequestError, match="Permission denied"):
        store.keys()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_run_that_cannot_be_looked_into_is_not_overlooked(store: Store) -> None:
    folder = put(store.root, run_record())
    folder.chmod(0)
    try:
        assert store.keys() == [folder.name]
        with pytest.raises(RequestError, match="Permission denied"):
            store.read(folder.name)
        assert len(store.scores(folder.name).problems) == 1
    finally:
        folder.chmod(0o755)


def test_scores_are_read_with_the_reasons_of_those_that_cannot_be(store: Store) -> None:
    run, other = run_record(), run_record("another")
    good = score_record(run)
    folder = put(store.root, run, [good]) / "scores"
    validation = score_record(run, protocol(split="validation", reference_sha256="0" * 64))
    validation.write(folder / f"{validation.key}.json")
    (folder / "damaged.json").write_text("{")
    good.write(folder / "renamed.json")
    score_record(other, protocol(samples=7)).write(folder / f"{protocol(samples=7).key}.json")
    (folder / ".1234.json.abcdefgh").touch()
    (folder / "notes.txt").touch()
    found = store.scores(run.key)
    assert {score.key for score in found.records} == {good.key, validation.key}
    assert sorted(problem.split(": ", 1)[1] for problem in found.problems) == [
        "damaged, or not a file of ganbench",
        f"of another run, {other.key}",
        f"of another scoring protocol, {good.key}",
    ]
    assert store.scores("nothing") == ([], [])


def test_all_runs_are_walked_with_what_is_wrong_with_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "BATCH", 2)
    good, moved, damaged = (run_record("tiny", at) for at in range(3))
    put(store.root, good, [score_record(good)])
    stale = score_record(moved)
    moved = RunRecord.model_validate(moved.model_dump() | SHIFT)
    put(store.root, moved, [stale])
    put(store.root, damaged)
    (store.folder(damaged.key) / "run.json").write_text("{")
    begin(store.root, spec("tiny", 9))  # has no record yet
    found = {each.key: each for each in store.records()}
    assert found.keys() == {good.key, moved.key, damaged.key}
    assert (found[good.key].record, found[good.key].scores, found[good.key].problems) == (
        good,
        [score_record(good)],
        [],
    )
    assert (found[moved.key].scores, len(found[moved.key].problems)) == ([], 1)
    assert "of other samples than the run's" in found[moved.key].problems[0]
    assert found[damaged.key].record is None
    assert "run.json: damaged" in found[damaged.key].problems[0]


def test_scores_of_two_commands_are_merged(store: Store) -> None:
    run = run_record()
    put(store.root, run)
    store.write_score(score_record(run, fid=20.0))
    merged = store.write_score(score_record(run, vendi=3.0))
    assert merged == store.read_score(run.key, protocol().key)
    assert {name: score.value for name, score in merged.metrics.items()} == {"fid": 20.0, "vendi": 3.0}
    assert store.read_score(run.key, "nothing") is None


WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.store.factory import run_record, score_record
from ganbench.store.store import Store
for name in sys.argv[3:]:
    Store(Path(sys.argv[2])).write_score(score_record(run_record(), **{name: 1.0}))
"""


def test_scores_written_at_once_are_all_kept(store: Store) -> None:
    put(store.root, run_record())
    names = [f"metric{number}" for number in range(24)]
    here = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(here), str(store.root), *names[at::3]]) for at in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    (score,) = store.scores(run_record().key).records
    assert score.metrics.keys() == set(names)
    assert [path.name for path in store.score_path(score.run, score.key).parent.glob("*.json")] == [f"{score.key}.json"]


def test_scores_of_samples_that_were_replaced_are_set_aside_or_refused(store: Store) -> None:
    run = run_record()
    again = RunRecord.model_validate(run.model_dump() | SHIFT)
    put(store.root, again, [score_record(run)])
    with pytest.raises(RequestError, match="trained again while its old samples were scored"):
        store.write_score(score_record(run))
    fresh = store.write_score(score_record(again, **{"is": 7.0}))
    assert fresh.metrics.keys() == {"is"}
    names = sorted(path.name for path in store.score_path(run.key, fresh.key).parent.iterdir())
    assert names == [f"{fresh.key}.json", f"{fresh.key}.json.before-1", "lock"]


def test_a_damaged_score_file_is_set_aside(store: Store) -> None:
    run = run_record()
    put(store.root, run)
    path = store.score_path(run.key, protocol().key)
    path.parent.mkdir()
    path.write_text("{")
    store.write_score(score_record(run))
    assert store.scores(run.key) == ([score_record(run)], [])
    assert path.with_name(f"{path.name}.before-1").read_text() == "{"


def test_whoever_holds_the_runs_lock_still_holds_it_after_writing_scores(store: Store) -> None:
    folder = put(store.root, run_record())
    ask = "import sys; from pathlib import Path; from ganbench.store.locks import in_work; print(in_work(Path(sys.argv[1])))"  # noqa: E501
    with locked(folder) as mine:
        assert mine
        store.write_score(score_record(run_record()))
        done = subprocess.run([sys.executable, "-c", ask, str(folder)], capture_output=True, text=True, check=True)
        assert done.stdout == "True\n"


def test_a_score_under_a_wrong_key_is_a_mistake_of_the_caller(store: Store) -> None:
    with pytest.raises(ValueError, match="under a protocol of key"):
        store.write_score(score_record(run_record(), changes={"key": "0" * 16}))


def test_a_writer_waits_for_another_and_then_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(store_module.Lock, "acquire", lambda lock: False)
    with pytest.raises(RequestError, match="another command has been writing here"):
        store.write_score(score_record(run_record()))
