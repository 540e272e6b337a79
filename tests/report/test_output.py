"""The folder of a report is cleared of its own files, and of nobody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.report.output import MANIFEST, check_folder, write_files


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {MANIFEST}


def test_a_report_replaces_an_earlier_one_and_leaves_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert write_files(out, {"index.html": b"1", "a/index.html": b"a", "a/models/x.html": b"x"}) == 0
    (out / "a" / "notes.txt").write_text("mine")
    before = (out / "index.html").stat().st_mtime_ns
    assert write_files(out, {"index.html": b"1", "b/index.html": b"b"}) == 2
    assert tree(out) == {"index.html", "b/index.html", "a/notes.txt"}
    assert not (out / "a" / "models").exists()
    assert (out / "index.html").stat().st_mtime_ns == before  # what has not changed is not written
    assert (out / "b" / "index.html").read_bytes() == b"b"


@pytest.mark.parametrize("manifest", [None, "[]", "not JSON", '{"files": 3}'])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(RequestError, match="holds other files than a report's") as error:
        write_files(tmp_path, {"index.html": b"1"})
    assert "\n" not in str(error.value)
    assert tree(tmp_path) == {"thesis.tex"}


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "none")
    write_files(tmp_path, {"index.html": b"1"})
    check_folder(tmp_path)


def test_a_manifest_leads_to_no_file_outside_the_folder(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("mine")
    out = tmp_path / "report"
    write_files(out, {"index.html": b"1"})
    (out / "link").symlink_to(tmp_path / "elsewhere")
    listed = ["../precious.txt", str(precious), "link/file", ".", "", "link/../../precious.txt"]
    (out / MANIFEST).write_text(json.dumps({"files": listed}))
    write_files(out, {"index.html": b"2"})
    assert precious.read_text() == "mine"
    assert (tmp_path / "elsewhere" / "file").read_text() == "mine"
    assert (out / "index.html").read_bytes() == b"2"


def test_a_report_that_was_interrupted_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganbench.report import output

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(output, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            write_files(tmp_path / "out", {"index.html": b"1"})
    write_files(tmp_path / "out", {"other.html": b"1"})
    assert tree(tmp_path / "out") == {"other.html"}
