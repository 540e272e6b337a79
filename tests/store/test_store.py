"""The store: locks that die with their process, records that are not trusted unseen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.store.store import Lock, Store, in_work, locked

from ..boards.factory import make

HOLD = """
import os, sys, time
from pathlib import Path
from ganbench.store.store import Lock
assert Lock(Path(sys.argv[1])).acquire()
if os.fork() == 0:
    time.sleep(60)
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_is_free_as_soon_as_its_process_is_gone_even_if_a_child_lives_on(tmp_path: Path) -> None:
    assert not in_work(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert in_work(tmp_path)
        assert not Lock(tmp_path).acquire()
        holder.kill()
        holder.wait()
        assert not in_work(tmp_path)
        with locked(tmp_path) as mine:
            assert mine
        os.killpg(holder.pid, signal.SIGKILL)


def test_a_record_is_read_under_its_key_alone(tmp_path: Path) -> None:
    store, record = Store(tmp_path), make("a", key="0123456789abcdef")
    assert store.read(record.key) is None
    record.write(store.folder(record.key) / "record.json")
    kept = store.read(record.key)
    assert kept is not None
    assert kept.record == record
    record.write(store.folder("other") / "record.json")
    with pytest.raises(RequestError, match="of another trial, 0123456789abcdef"):
        store.read("other")


def test_an_edited_record_is_not_trusted_and_set_aside_not_deleted(tmp_path: Path) -> None:
    store, record = Store(tmp_path), make("a", fid=20.0)
    path = store.folder(record.key) / "record.json"
    for number in (1, 2):
        record.write(path)
        edited = path.read_text().replace('"value": 20.0', '"value": 2.0')
        path.write_text(edited)
        with pytest.raises(RequestError, match="edited after it was written"):
            store.read(record.key)
        aside = store.set_aside(record.key)
        assert (aside.name, aside.read_text()) == (f"record-before-{number}.json", edited)
        assert store.read(record.key) is None


def test_a_key_is_found_by_its_beginning(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for key in ("abc1", "abd2", "abd2x"):
        make("a", key=key).write(store.folder(key) / "record.json")
    (tmp_path / "no trial").mkdir()
    assert store.keys() == ["abc1", "abd2", "abd2x"]
    assert store.find("abc") == "abc1"
    assert store.find("abd2") == "abd2"
    for start, said in (("ab", "3 trials"), ("x", "no trial"), ("", "3 trials"), ("../x", "no trial")):
        with pytest.raises(RequestError, match=said):
            store.find(start)
