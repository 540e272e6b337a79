from __future__ import annotations

import builtins
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganbench.boards.board import build_board
from ganbench.store.run_record import RunStatus
from ganbench.store.store import Store
from tests.store.factory import protocol, score_record, sha

from .factory import METRICS, REQUEST, TRACK, board, labels, make, seeds, write

OTHER = protocol(extractor="clip", extractor_sha256=sha("clip"))


def test_runs_and_published_ones_stand_apart_and_a_key_counts_once(tmp_path: Path) -> None:
    runs, published = tmp_path / "runs", tmp_path / "published"
    write(published / TRACK.name / "runs", [*seeds("a", (5.0, 6.0)), make("b", 0, 4.0), make("real", role="ceiling")])
    found = board(runs, [make("a", 0, 1.0), make("a", 2, 3.0), make("real", role="ceiling")], published=published)
    shown = {(each.row.label, each.row.published): each.row for each in found.rows}
    assert set(shown) == {("a", False), ("a", True), ("b", True), ("real", False)}
    assert [entry.metrics["fid"].value for entry in shown["a", False].entries] == [1.0, 3.0]
    assert [entry.metrics["fid"].value for entry in shown["a", True].entries] == [5.0, 6.0], "numbers of its own"
    assert len(shown["real", False].entries) == 1


def test_a_published_row_whose_every_run_the_user_has_is_not_shown_twice(tmp_path: Path) -> None:
    write(tmp_path / "published" / TRACK.name / "runs", [*seeds("a", (5.0, 6.0)), make("b")])
    found = board(tmp_path / "runs", seeds("a", (5.0, 6.0, 7.0)), published=tmp_path / "published")
    assert [(each.row.label, each.row.published) for each in found.rows] == [("a", False), ("b", True)]


def test_a_published_score_is_shown_where_the_user_has_the_run_alone(tmp_path: Path) -> None:
    write(tmp_path / "published" / TRACK.name / "runs", [make("a", 0, 5.0)])
    found = board(tmp_path / "runs", [make("a", 0, scored=False)], published=tmp_path / "published")
    assert [(each.row.published, each.row.runs) for each in found.rows] == [(True, 1), (False, 0)] or [
        (each.row.published, each.row.runs) for each in found.rows
    ] == [(False, 0), (True, 1)]


def test_what_is_left_out_of_both_places_is_said_once(tmp_path: Path) -> None:
    made = [make("a"), make("b", asked={"precision": "bf16"})]
    write(tmp_path / "published" / TRACK.name / "runs", made)
    found = board(tmp_path / "runs", made, published=tmp_path / "published")
    assert found.left_out == ("left out 1 run in bf16: this board shows fp32",)


def test_published_rows_stand_below_and_are_ranked_with_the_users(tmp_path: Path) -> None:
    write(tmp_path / "published" / TRACK.name / "runs", seeds("best", (1.0, 1.1, 1.2)))
    found = board(tmp_path / "runs", seeds("mine", (9.0, 9.1, 9.2)), published=tmp_path / "published")
    assert [(each.row.label, each.rank, each.row.published) for each in found.rows] == [
        ("mine", "2", False), ("best", "1", True),
    ]  # fmt: skip


def test_a_board_against_validation_shows_no_published_rows(tmp_path: Path) -> None:
    write(tmp_path / "published" / TRACK.name / "runs", seeds("best", (1.0, 1.1)))
    under = protocol(split="validation", reference_sha256=sha("validation"))
    request = replace(REQUEST, scoring=under)
    made = [*seeds("a", (1.0, 2.0), under=under), *seeds("b", (1.0, 2.0))]
    found = board(tmp_path / "runs", made, request=request, published=tmp_path / "published")
    assert {each.row.label: each.row.runs for each in found.rows} == {"a": 2, "b": 0}
    assert found.name == "tiny-quick@validation"


def test_damaged_files_are_refused_with_their_reason_and_harm_nobody(tmp_path: Path) -> None:
    good = make("a")
    write(tmp_path, [good])
    text = (tmp_path / good.key / "run.json").read_text()
    files = {"half": "{", "list": "[]", "empty": "", "edited": text.replace('"ok"', '"failed"'), "foreign": text}
    files["later"] = json.dumps(json.loads(text) | {"schema": 99})
    for name, content in files.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content)
    (tmp_path / "folder" / "run.json").mkdir(parents=True)
    found = board(tmp_path)
    assert labels(found) == ["a"]
    reasons = {refusal.what: refusal.reason for refusal in found.refused}
    assert set(reasons) == {*files, "folder"}
    assert "schema '99'" in reasons["later"]
    assert "changed after it was written" in reasons["edited"]
    assert good.key in reasons["foreign"]
    assert not any(str(tmp_path) in reason for reason in reasons.values()), "a board must read the same everywhere"


def test_a_damaged_score_is_refused_and_its_run_stays(tmp_path: Path) -> None:
    made = make("a")
    write(tmp_path, [made])
    path = tmp_path / made.key / "scores" / f"{made.scores[0].key}.json"
    path.write_text(path.read_text().replace("20.0", "0.1"))
    found = board(tmp_path)
    assert found.rows[0].row.note.startswith("not scored")
    assert "checksum" in found.refused[0].reason


@pytest.mark.parametrize(
    "changes",
    [{"train_sha256": "0" * 64}, {"budget": "9kimg"}],
)
def test_runs_of_other_training_protocols_are_left_to_their_own_boards(tmp_path: Path, changes: dict[str, Any]) -> None:
    found = board(tmp_path, [make("a"), make("b", asked=changes)])
    assert (labels(found), found.refused, found.left_out) == (["a"], (), ())


@pytest.mark.parametrize("changes", [{"samples": 50}, {"extractor_sha256": "f" * 64}, {"reference_sha256": "0" * 64}])
def test_scores_of_other_protocols_count_for_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    made = [make("a"), make("b", 0, 1.0, under=protocol(**changes)), make("real", role="ceiling")]
    made.append(make("noise", role="floor", under=protocol(**changes)))
    found = {each.row.label: each.row for each in board(tmp_path, made).rows}
    assert found["b"].headline is None
    assert found["b"].note.startswith("not scored")
    assert "noise" not in found, "a baseline costs nothing to make again"


def test_precisions_never_mix_and_it_is_said(tmp_path: Path) -> None:
    made = [*seeds("a", (1.0, 2.0)), *seeds("b", (1.0, 2.0), asked={"precision": "bf16"})]
    found = board(tmp_path, made)
    assert labels(found) == ["a"]
    assert found.left_out == ("left out 2 runs in bf16: this board shows fp32",)
    other = replace(REQUEST, training=REQUEST.training.model_copy(update={"precision": "bf16"}))
    assert labels(build_board(other, [Store(tmp_path)])) == ["b"]


def test_devices_never_mix_under_a_time_budget_and_the_users_own_is_shown(tmp_path: Path) -> None:
    def timed(device: str) -> dict[str, str]:
        return {"budget": "2s", "device": device}

    request = replace(REQUEST, training=REQUEST.training.model_copy(update={"budget": "2s"}))
    write(tmp_path / "published" / TRACK.name / "runs", seeds("a", (1.0, 2.0, 3.0), asked=timed("cpu")))
    mine = [*seeds("b", (1.0, 2.0), asked=timed("cuda")), make("c", asked=timed("cpu"))]
    found = board(tmp_path / "runs", mine, request=request, published=tmp_path / "published")
    assert labels(found) == ["b"]
    (said,) = found.left_out
    assert said.startswith("left out 4 runs on cpu")
    on_cpu = replace(request, training=request.training.model_copy(update={"device": "cpu"}))
    assert labels(build_board(on_cpu, [Store(tmp_path / "runs")])) == ["c"]


def test_another_extractor_has_columns_that_never_rank(tmp_path: Path) -> None:
    made = [*seeds("a", (1.0, 1.1, 1.2)), *seeds("b", (9.0, 9.1, 9.2))]
    for each in made:
        value = 50.0 if each.record.spec.model_info.label == "a" else 2.0
        each.scores.append(score_record(each.record, OTHER, fid=value, recall=0.5))
    found = board(tmp_path, made)
    assert [column.name for column in found.columns][-2:] == ["fid@clip", "recall@clip"]
    assert found.columns[-2].title == "FID@clip"
    assert [(each.row.label, each.rank, each.row.metrics["fid@clip"].mean) for each in found.rows] == [
        ("a", "1", pytest.approx(50)), ("b", "2", pytest.approx(2)),
    ]  # fmt: skip


def test_extractors_of_one_name_and_other_weights_have_columns_of_their_own(tmp_path: Path) -> None:
    made = seeds("a", (1.0, 1.1))
    weights = [sha("one"), sha("two")]
    for each, of in zip(made, weights, strict=True):
        each.scores.append(score_record(each.record, protocol(extractor="clip", extractor_sha256=of), fid=7.0))
    found = board(tmp_path, made)
    assert {column.name for column in found.columns if "@" in column.name} == {f"fid@clip-{of[:8]}" for of in weights}
    assert all(found.rows[0].row.metrics[f"fid@clip-{of[:8]}"].n == 1 for of in weights)


def test_a_metric_that_was_asked_for_beside_the_tracks_has_a_column(tmp_path: Path) -> None:
    found = board(tmp_path, [make("a", vendi=3.0), make("b")])
    assert [column.name for column in found.columns] == [*METRICS, "vendi"]


def test_versions_of_a_metric_never_mix(tmp_path: Path) -> None:
    newer = METRICS["fid"].model_copy(update={"version": 2})
    request = replace(REQUEST, headline=newer, metrics=(newer, *list(METRICS.values())[1:]))
    made = [make("a", 0, 1.0, vendi=3.0), make("a", 1, 9.0, versions={"fid": 2, "vendi": 2}, vendi=5.0)]
    (ranked,) = board(tmp_path, made, request=request).rows
    assert (ranked.row.metrics["fid"].mean, ranked.row.metrics["fid"].n) == (9.0, 1)
    assert (ranked.row.metrics["vendi"].mean, ranked.row.metrics["is"].n) == (5.0, 2)
    assert "no fid: of version 1, this board shows version 2" in ranked.row.note
    assert "no vendi: of version 1" in ranked.row.note


def test_only_the_latest_source_of_a_label_is_shown_and_the_others_are_counted(tmp_path: Path) -> None:
    made = [*seeds("a", (1.0, 1.1), source="11" * 32, day=1), make("b")]
    found = board(tmp_path, [*made, *seeds("a", (2.0, 2.1, 2.2), source="22" * 32, day=2)])
    assert {each.info.source[:2] for each in found.entries if each.info.label == "a"} == {"22"}
    assert [str(each) for each in found.superseded] == ["2 older runs of a superseded by its current source"]


def test_a_seed_counts_once(tmp_path: Path) -> None:
    other = {"config": {"batch_size": 65}}  # with the label's default, as far as the label tells
    found = board(tmp_path, [make("a", 0, 1.0), make("a", 0, 2.0, day=2, asked=other)])
    assert [entry.metrics["fid"].value for entry in found.entries] == [2.0]
    assert [str(each) for each in found.superseded] == ["1 older run of a superseded by a newer run of the same seed"]


def test_which_is_newer_is_told_by_the_moment_not_by_how_it_is_written(tmp_path: Path) -> None:
    late = make("a", 0, 1.0, source="11" * 32, record={"provenance": {"started": "2026-11-01T23:00:00-05:00"}})
    early = make("a", 0, 2.0, source="22" * 32, record={"provenance": {"started": "2026-11-02T01:00:00+00:00"}})
    assert [entry.metrics["fid"].value for entry in board(tmp_path, [late, early]).entries] == [1.0]


def test_failures_and_unfinished_runs(tmp_path: Path) -> None:
    from tests.store.factory import begin, spec

    begin(tmp_path, spec("started"))
    found = board(tmp_path, [make("a", 0, status=RunStatus.TIMEOUT, reason="too slow"), make("a", 1)])
    assert labels(found) == ["a"]
    note = "its failed run counts as FID 20.0, the worst on this board; timeout: too slow (1 of 2 runs)"
    assert found.rows[0].row.note == note


def test_no_folders_at_all_is_an_empty_board(tmp_path: Path) -> None:
    found = board(tmp_path / "runs", published=tmp_path / "leaderboards")
    assert (found.rows, found.ceiling, found.possible_firsts, found.refused) == ((), None, (), ())


def test_every_file_of_a_large_store_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [each for at in range(20) for each in seeds(f"m{at}", (1.0, 2.0, 3.0))]
    write(tmp_path, made)
    opened: list[str] = []
    true_open = builtins.open

    def counting(file: Any, *words: Any, **more: Any) -> Any:
        opened.append(os.fspath(file) if not isinstance(file, int) else "")
        return true_open(file, *words, **more)

    monkeypatch.setattr(builtins, "open", counting)
    monkeypatch.setattr(io, "open", counting)
    assert len(board(tmp_path).entries) == 60
    read = [path for path in opened if path.startswith(str(tmp_path))]
    assert len(read) == len(set(read)) == 2 * 60
