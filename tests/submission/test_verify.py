"""``ganbench verify``: an honest bundle is accepted, and every forgery is refused with the name of what differs."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganbench.boards.board import build_board
from ganbench.boards.csv_table import board_csv
from ganbench.boards.markdown import markdown_table
from ganbench.boards.publish import publish
from ganbench.boards.table import board_table
from ganbench.engines.network import why_not
from ganbench.experiment.protocols import board_request
from ganbench.report.site import Shown, build_site
from ganbench.store.run_record import RunRecord, read_run
from ganbench.store.score_record import read_score
from ganbench.store.store import Store
from ganbench.util.atomic_io import sha256_of

from ..conftest import Answer
from .bundles import forged, rewritten
from .conftest import Strange

Command = Callable[..., Answer]
isolated = pytest.mark.skipif(bool(why_not()), reason=f"the network cannot be blocked: {why_not()}")


@pytest.fixture
def verify(command: Command, tmp_path: Path) -> Command:
    return lambda bundle, *words: command("verify", bundle, "--runs", tmp_path / "verified", "--jobs", 1, *words)


@isolated
def test_an_honest_bundle_is_accepted(strange: Strange, verify: Command, tmp_path: Path) -> None:
    store, result, page = tmp_path / "store", tmp_path / "result.json", tmp_path / "page.md"
    answer = verify(strange.bundle, "--level", "retrain", "--seeds", "0,5,7", "--into", store, "--json", result,
                    "--markdown", page)  # fmt: skip
    assert (answer.status, answer.err) == (0, ""), answer
    found = json.loads(result.read_text())
    assert [step["level"] for step in found["steps"]] == ["keys", "rescore", "resample", "retrain"]
    assert found["network"] == "blocked"
    assert all(each["submitted"] == each["here"] for each in found["metrics"])
    assert [each["verdict"] for each in found["retrained"]["reproduced"]] == ["equal"]
    (test,) = found["retrained"]["plausibility"]
    assert (len(test["submitted"]), len(test["fresh"]), test["plausible"]) == (2, 2, True)
    assert "would be found in 8 cases of 10" in test["said"]
    assert answer.out.splitlines()[-1] == f"2 runs merged into {store}: reproduced"
    assert "| strange |" in page.read_text()
    request = board_request("digits-smoke", budget="5steps")
    (row,) = (each.row for each in build_board(request, [Store(store)]).rows)
    assert (row.label, row.checked, row.runs) == ("strange", "reproduced", 2)
    board, keys = publish(request, Store(store), tmp_path / "leaderboards", known_sources={})
    assert len(keys) == 2
    assert [each.row.checked for each in board.rows] == ["reproduced"]
    assert "- checked: of rows that others sent" in (tmp_path / "leaderboards" / "digits-smoke+5steps.md").read_text()


@isolated
def test_submitted_code_has_no_network(
    strange: Strange, verify: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with contextlib.suppress(OSError):  # it is closed
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        heard.append(connection.recv(7))

        threading.Thread(target=listen, daemon=True).start()
        (tmp_path / "strange-port").write_text(str(listener.getsockname()[1]))
        monkeypatch.setenv("HOME", str(tmp_path))
        answer = verify(strange.bundle, "--level", "resample")
        assert answer.status == 1, "the code could not draw samples without the listener"
        assert "Network is unreachable" in answer.out
        assert heard == []
        with socket.create_connection(listener.getsockname()) as mine:
            mine.sendall(b"reached")
        deadline = time.monotonic() + 20
        while not heard and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heard == [b"reached"], "the listener does listen"


def test_code_with_network_takes_a_word(
    strange: Strange, verify: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ganbench.submission.confined.why_not", lambda: "it is forbidden")
    answer = verify(strange.bundle, "--level", "resample")
    assert answer.status == 2
    assert "the network cannot be blocked for submitted code: it is forbidden" in answer.err
    answer = verify(strange.bundle, "--level", "resample", "--allow-network")
    assert answer.status == 0, answer
    assert "network: not blocked, because it is forbidden" in answer.out


def first(members: Path) -> Path:
    return sorted((members / "runs").iterdir())[0]


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def better_fid(members: Path) -> None:
    (path,) = (first(members) / "scores").glob("*.json")
    score = read_score(path)
    fid = score.metrics["fid"].model_copy(update={"value": score.metrics["fid"].value / 2})
    score.model_copy(update={"metrics": score.metrics | {"fid": fid}}).write(path)


def other_samples(members: Path) -> None:
    one, two = sorted((members / "runs").iterdir())
    shutil.copyfile(two / "samples" / "final.npy", one / "samples" / "final.npy")


def other_checkpoint_throughout(members: Path) -> None:
    """As if other samples than the model's had been scored: the record names the checkpoint that is there."""
    other_checkpoint(members)
    path = first(members) / "run.json"
    files = {"checkpoint.pt": sha256_of(first(members) / "checkpoint.pt")}
    record = read_run(path)
    record.model_copy(update={"files": record.files | files}).write(path)


def other_checkpoint(members: Path) -> None:
    one, two = sorted((members / "runs").iterdir())
    shutil.copyfile(two / "checkpoint.pt", one / "checkpoint.pt")


def other_code(members: Path) -> None:
    path = members / "code" / "strange_helper.py"
    path.write_text(path.read_text().replace("0.01", "0.02"))


def record_of(members: Path, change: Callable[[RunRecord], RunRecord], *, new_key: bool) -> None:
    """Change a record, and compute its checksum and, with `new_key`, its key anew wherever that stands."""
    folder = first(members)
    record = change(read_run(folder / "run.json"))
    if not new_key:
        record.write(folder / "run.json")
        return
    old, new = record.key, record.spec.key
    record.model_copy(update={"key": new}).write(folder / "run.json")
    for path in (folder / "scores").glob("*.json"):
        read_score(path).model_copy(update={"run": new}).write(path)
    folder.rename(folder.with_name(new))
    edit_json(
        members / "manifest.json", lambda said: [run.update(key=new) for run in said["runs"] if run["key"] == old]
    )


def with_spec(record: RunRecord, **changes: Any) -> RunRecord:
    return record.model_copy(update={"spec": record.spec.model_copy(update=changes)})


def other_seed(members: Path) -> None:
    record_of(members, lambda record: with_spec(record, seed=record.spec.seed + 1), new_key=False)


def other_seed_and_key(members: Path) -> None:
    record_of(members, lambda record: with_spec(record, seed=record.spec.seed + 1), new_key=True)


def other_track(members: Path) -> None:
    def change(record: RunRecord) -> RunRecord:
        return with_spec(record, training=record.spec.training.model_copy(update={"budget": "9000steps"}))

    record_of(members, change, new_key=True)


def a_ceiling(members: Path) -> None:
    def change(record: RunRecord) -> RunRecord:
        return with_spec(record, model_info=record.spec.model_info.model_copy(update={"role": "ceiling"}))

    record_of(members, change, new_key=True)


def says_it_was_checked(members: Path) -> None:
    (first(members) / "verified.json").write_text("{}")


FORGERIES = {
    other_samples: ("keys", "samples/final.npy: not the samples that the run drew"),
    other_checkpoint: ("keys", "checkpoint.pt: is not the one of the run's record"),
    other_code: ("keys", "code of 'strange': has source "),
    other_seed: ("keys", "its key is not that of what it says was trained"),
    other_seed_and_key: ("keys", " is not that of seed index "),
    other_track: (
        "keys",
        "it is of another track than digits-smoke+5steps: budget is 9000steps, the track's is 5steps",
    ),
    a_ceiling: ("keys", "it is a ceiling, which every board makes itself"),
    says_it_was_checked: ("keys", "verified.json: does not belong into a bundle"),
    better_fid: ("rescore", "FID of strange, seed "),
    other_checkpoint_throughout: ("resample", "of its pixels are not those that checkpoint.pt draws"),
}


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda each: each.__name__)
def test_a_forgery_is_refused(strange: Strange, verify: Command, tmp_path: Path, forgery: Any) -> None:
    level, said = FORGERIES[forgery]
    if level == "resample" and why_not():
        pytest.skip("the network cannot be blocked")
    bundle = forged(strange.bundle, tmp_path, forgery)
    answer = verify(bundle, "--level", level, "--into", tmp_path / "store")
    assert (answer.status, answer.err) == (1, ""), answer
    assert said in answer.out
    assert f"differs at level {level}" in answer.out or level != "keys"
    assert not (tmp_path / "store").exists()


def add(name: str, content: bytes = b"x", mode: int = 0o100644, compress: int = zipfile.ZIP_STORED) -> Any:
    def change(members: list[tuple[zipfile.ZipInfo, bytes]]) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type, info.create_system = mode << 16, compress, 3
        members.append((info, content))

    return change


def edit(members: list[tuple[zipfile.ZipInfo, bytes]]) -> None:
    members[1] = (members[1][0], members[1][1] + b"#")


CHANGES: dict[str, tuple[Any, int, str]] = {
    "path traversal": (add("../outside"), 2, "member '../outside': is no name that a bundle has; nothing was unpacked"),
    "absolute": (add("/tmp/outside"), 2, "member '/tmp/outside': is no name that a bundle has"),
    "backslash": (add("code\\..\\outside"), 2, "is no name that a bundle has"),
    "hidden": (add("code/.hidden"), 2, "is no name that a bundle has"),
    "symlink": (add("code/link", b"/etc/passwd", 0o120777), 2, "member 'code/link': is no regular file"),
    "bomb": (add("code/bomb", bytes(10**7), compress=zipfile.ZIP_DEFLATED), 2, "member 'code/bomb': is compressed"),
    "twice": (add("LOCK.txt"), 2, "is there twice"),
    "added": (add("code/more.py"), 1, "code/more.py: is not in the manifest"),
    "removed": (lambda members: members.pop(), 1, ": is missing"),
    "edited": (edit, 1, "and the manifest says"),
    "no manifest": (lambda members: members.pop(0), 2, "x.zip: does not begin with manifest.json"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_archive_is_not_trusted(strange: Strange, verify: Command, tmp_path: Path, change: str) -> None:
    how, status, said = CHANGES[change]
    answer = verify(rewritten(strange.bundle, tmp_path / "x.zip", how), "--level", "keys")
    assert answer.status == status, answer
    assert said in (answer.err if status == 2 else answer.out)
    assert status == 1 or answer.err.count("\n") == 1
    assert not list(tmp_path.glob("**/outside"))


def test_a_damaged_archive_is_told_as_such(strange: Strange, verify: Command, tmp_path: Path) -> None:
    content, path = strange.bundle.read_bytes(), tmp_path / "x.zip"
    path.write_bytes(content[:-30])
    assert "or truncated" in verify(path, "--level", "keys").err
    with zipfile.ZipFile(strange.bundle) as archive:
        name = next(each for each in archive.namelist() if each.endswith("final.npy"))
        at = content.index(archive.read(name))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    answer = verify(path, "--level", "keys", "--quiet")
    assert answer.status == 1
    assert f"{name}: is damaged (Bad CRC-32 for file {name!r})" in answer.out
    assert answer.out.endswith("not verified: x.zip differs at level keys\n")


def test_a_quiet_verification_prints_its_result(strange: Strange, verify: Command) -> None:
    assert verify(strange.bundle, "--level", "keys", "--quiet").out == "verified: strange.zip at level keys\n"


def test_what_is_no_bundle(verify: Command, tmp_path: Path, strange: Strange) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    assert "is not a bundle of `ganbench submit`" in verify(tmp_path / "text.zip").err
    assert verify(tmp_path / "none.zip").status == 2
    answer = verify(strange.bundle, "--level", "retrain", "--seeds", "some")
    assert (answer.status, "--seeds 'some': write a count" in answer.err) == (2, True)
    answer = verify(strange.bundle, "--level", "keys", "--track", "digits-smoke")
    assert answer.status == 1
    assert "it is of another track than digits-smoke: budget is 5steps" in answer.out


def test_a_claimed_row_is_shown_and_not_ranked(strange: Strange, verify: Command, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert verify(strange.bundle, "--level", "keys", "--into", store).status == 0
    own = build_board(board_request("digits-smoke", budget="5steps"), [Store(strange.runs)])
    assert [each.row.checked for each in own.rows] == [None]
    assert "checked" not in board_csv(own).splitlines()[0]
    board = build_board(board_request("digits-smoke", budget="5steps"), [Store(store)])
    (ranked,) = board.rows
    assert (ranked.rank, ranked.row.checked) == ("", "claimed")
    assert board_csv(board).splitlines()[1].endswith(",claimed")
    assert "strange (claimed)" in markdown_table(board_table(board), board_table(board).main)
    said = "claimed: others sent it and nobody has checked it; it is not ranked"
    assert any(said in page.decode() for page in build_site([Shown(board, None)]).values())
    for key in Store(store).keys():  # a file about another record, or a damaged one, vouches for nothing
        path = store / key / "verified.json"
        path.write_text(
            path.read_text().replace("claimed", "reproduced").replace(sha256_of(store / key / "run.json"), "0")
        )
    assert [each.row.checked for each in build_board(board.request, [Store(store)]).rows] == ["claimed"]
