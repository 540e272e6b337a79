"""Files are written whole or not at all."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import BinaryIO

import pytest

from ganbench.util.atomic_io import (
    atomic_write,
    partial_files,
    remove_partial_files,
    sha256_of,
    write_bytes,
    write_text,
)
from ganbench.util.cache import cache_folder
from ganbench.util.gc_pause import gc_paused


def test_a_failure_half_way_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.json"
    write_text(path, "old é")

    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, fail)
    assert path.read_text(encoding="utf-8") == "old é"
    assert list(path.parent.iterdir()) == [path]


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_cache_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "here"))
    assert cache_folder("data") == tmp_path / "here" / "data"
    monkeypatch.delenv("GANBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there"))
    assert cache_folder() == tmp_path / "there" / "ganbench"
    assert cache_folder().is_dir()


def test_a_file_goes_into_the_room_that_was_kept_for_it(tmp_path: Path) -> None:
    path, spare = tmp_path / "run.json", tmp_path / ".reserve"
    spare.write_bytes(b"\0" * 1000)
    kept = spare.stat().st_ino
    write_bytes(path, b"short", spare=spare)
    assert (path.read_text(), path.stat().st_ino, spare.exists()) == ("short", kept, False)
    write_bytes(path, b"longer", spare=spare)  # there is none any more
    assert path.read_text() == "longer"


def test_what_a_killed_process_left_is_found_and_removed(tmp_path: Path) -> None:
    for name in (".run.json.abcd_123", ".reserve", "run.json", ".lock-abcdefgh", ".final.npy.a2c4e_g8"):
        (tmp_path / name).touch()
    (tmp_path / ".a.folder.12345678").mkdir()
    assert [path.name for path in partial_files(tmp_path)] == [".final.npy.a2c4e_g8", ".run.json.abcd_123"]
    remove_partial_files(tmp_path)
    assert partial_files(tmp_path) == []
    assert (tmp_path / "run.json").exists()


def test_the_collector_is_paused_and_no_longer() -> None:
    with gc_paused(), pytest.raises(KeyError), gc_paused():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with gc_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
