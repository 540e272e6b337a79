from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.boards.publish import TRACK as TRACK_FILE
from ganbench.boards.publish import publish
from ganbench.boards.remove import find, remove
from ganbench.errors import RequestError
from ganbench.store.store import Store

from .factory import REQUEST, TRACK, make, seeds, write


class Places:
    """A store with two rows, both published."""

    def __init__(self, root: Path) -> None:
        self.runs, self.published = root / "runs", root / "leaderboards"
        self.board = self.published / TRACK.name / "runs"
        write(self.runs, [*seeds("a", (10.0, 11.0)), *seeds("b", (90.0, 91.0))], pictures=True)
        publish(REQUEST, Store(self.runs), self.published, known_sources={})

    def remove(self, what: str) -> list[str]:
        found = find(what, self.runs, self.published)
        remove(found, self.published)
        return list(map(str, found))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_a_label_takes_its_row_away_wherever_it_lies(places: Places) -> None:
    assert "2 models; best: a (FID" in (places.published / "README.md").read_text()
    said = places.remove("a")
    assert len(said) == 4
    assert said[0].endswith(("a, seed 0, ok", "a, seed 1, ok"))
    keys = {each.key for each in seeds("b", (90.0, 91.0))}
    assert set(Store(places.runs).keys()) == set(Store(places.board).keys()) == keys
    text = (places.published / "tiny-quick.md").read_text()
    assert "| b |" in text
    assert "| a |" not in text
    assert "1 model; best: not known" in (places.published / "README.md").read_text()
    assert not (places.board.parent / "a.png").exists()
    assert (places.board.parent / "b.png").exists()


@pytest.mark.parametrize("letters", [16, 8])
def test_a_key_or_its_first_letters_take_one_run_away(places: Places, letters: int) -> None:
    key = make("a", 1).key
    assert len(places.remove(key[:letters])) == 2
    assert not (places.runs / key).exists()
    assert not (places.board / key).exists()
    assert len(Store(places.board).keys()) == 3
    assert key not in (places.published / "tiny-quick-runs.csv").read_text()


def test_what_is_published_alone_or_not_at_all(places: Places, tmp_path: Path) -> None:
    write(places.runs, [make("mine")])
    before = (places.published / "tiny-quick.md").read_bytes()
    assert len(places.remove("mine")) == 1
    assert (places.published / "tiny-quick.md").read_bytes() == before
    found = find("b", tmp_path / "none", places.published)
    assert len(found) == 2
    assert all(each.board is not None for each in found)


def test_a_damaged_run_is_removed_by_its_key(places: Places) -> None:
    folder = places.runs / "deadbeef00000000"
    folder.mkdir()
    (folder / "run.json").write_text("{")
    assert places.remove("deadbeef") == [str(folder)]
    assert not folder.exists()


@pytest.mark.parametrize("what", ["nothing", "", "../leaderboards", "abc"])
def test_what_is_not_there_is_a_request_error(places: Places, what: str) -> None:
    with pytest.raises(RequestError, match="no run of that key"):
        find(what, places.runs, places.published)


def test_letters_that_fit_several_keys_are_too_few(places: Places) -> None:
    for last in "01":
        (places.runs / f"deadbeef0000000{last}").mkdir()
        (places.runs / f"deadbeef0000000{last}" / "run.json").write_text("{")
    with pytest.raises(RequestError, match="2 runs: write more letters"):
        find("deadbeef", places.runs, places.published)


def test_a_run_in_work_is_refused(places: Places) -> None:
    folder = places.runs / make("a", 0).key
    code = (
        "import sys\nfrom pathlib import Path\nfrom ganbench.store.locks import Lock\n"
        f"lock = Lock(Path({str(folder)!r}))\nprint(lock.acquire(), flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "True\n"
        with pytest.raises(RequestError, match="is being trained"):
            find("a", places.runs, places.published)
        other.communicate("")
    assert len(find("a", places.runs, places.published)) == 4


def test_a_board_that_cannot_be_written_again_keeps_its_runs(places: Places) -> None:
    found = find("a", places.runs, places.published)
    (places.published / TRACK.name / TRACK_FILE).write_text("{")
    with pytest.raises(RequestError, match="cannot be read"):
        remove(found, places.published)
    assert all(each.folder.is_dir() for each in found)
