from __future__ import annotations

import json

import pytest

from ganbench.boards.collect import collect
from ganbench.errors import RequestError

from .factory import EXTRACTOR, TRACK, make, seeds, write_runs


@pytest.fixture
def places(tmp_path):
    return tmp_path / "runs", tmp_path / "boards"


def publish_by_hand(boards, records):
    for record in records:
        record.write(boards / TRACK.name / "records" / f"{record.key}.json")


def keys(collection):
    return [found.record.key for found in collection.shown]


def test_runs_and_published_records_are_merged_and_the_newer_of_one_key_wins(places):
    runs, boards = places
    write_runs(runs, [make("a", 0, 1.0, day=2), make("b", 0, 3.0, day=1), make("d", 0, 8.0)], pictures=False)
    publish_by_hand(boards, [make("a", 0, 9.0, day=1), make("b", 0, 4.0, day=2), make("c", 0, 5.0)])
    found = {each.record.about.label: each for each in collect(TRACK.name, runs, boards).shown}
    values = {label: each.record.metrics["fid"].value for label, each in found.items()}
    assert values == {"a": 1.0, "b": 4.0, "c": 5.0, "d": 8.0}
    assert {label for label, each in found.items() if each.published} == {"b", "c"}


def test_damaged_files_are_refused_with_their_reason_and_harm_nobody(places):
    runs, boards = places
    write_runs(runs, [make("a")], pictures=False)
    good = json.loads((runs / make("a").key / "record.json").read_text())
    edited, later = json.dumps(good | {"status": "failed"}), json.dumps(good | {"schema": 99})
    for name, text in {"half": "{", "list": "[]", "empty": "", "edited": edited, "later": later}.items():
        (runs / name).mkdir()
        (runs / name / "record.json").write_text(text)
    make("foreign", key="../../escape").write(runs / "foreign" / "record.json")
    (runs / "folder" / "record.json").mkdir(parents=True)
    collection = collect(TRACK.name, runs, boards)
    assert len(collection.shown) == 1
    reasons = {refusal.path.parent.name: refusal.reason for refusal in collection.refused}
    assert set(reasons) == {"half", "list", "empty", "edited", "foreign", "later", "folder"}
    assert all(reasons.values())
    assert "schema 99" in reasons["later"]
    assert "edited after it was written" in reasons["edited"]
    assert "escape" in reasons["foreign"]


@pytest.mark.parametrize(
    ("other", "part"),
    [
        ({"track": TRACK.model_copy(update={"version": 2})}, "other track version: 2, this board has 1"),
        ({"track": TRACK.model_copy(update={"samples": 50})}, "other samples: 50, this board has 1000"),
        ({"extractor": "f" * 64}, f"other extractor: sha256 {'f' * 12}, this board has {EXTRACTOR[:12]}"),
    ],
)
def test_unlike_is_refused_and_the_reason_names_the_part(places, other, part):
    runs, boards = places
    write_runs(runs, [make("a", day=2), make("b", **other)], pictures=False)
    collection = collect(TRACK.name, runs, boards)
    assert keys(collection) == [make("a").key]
    assert [refusal.reason for refusal in collection.refused] == [part]


def test_same_parts_under_another_protocol_are_refused(places):
    runs, boards = places
    other = make("b")
    other = other.model_copy(update={"track": other.track.model_copy(update={"fingerprint": "0" * 64})})
    write_runs(runs, [make("a", day=2), other], pictures=False)
    (refusal,) = collect(TRACK.name, runs, boards).refused
    assert "protocol or metric version" in refusal.reason


def test_a_forged_fingerprint_does_not_get_in(places):
    runs, boards = places
    easy = make("b", track=TRACK.model_copy(update={"samples": 50}))
    forged = easy.model_copy(update={"track": easy.track.model_copy(update={"fingerprint": make().track.fingerprint})})
    write_runs(runs, [make("a", day=2), forged], pictures=False)
    assert keys(collect(TRACK.name, runs, boards)) == [make("a").key]


def test_the_fingerprint_can_be_chosen_and_is_else_the_latest(places):
    runs, boards = places
    write_runs(runs, [make("a", day=1), make("b", day=3, extractor="f" * 64), make("c", day=2)], pictures=False)
    assert keys(collect(TRACK.name, runs, boards)) == [make("b").key]
    assert len(collect(TRACK.name, runs, boards, make("a").track.fingerprint).shown) == 2
    with pytest.raises(RequestError, match="no record of fingerprint 123"):
        collect(TRACK.name, runs, boards, "123")


def test_summary_and_seeds_do_not_divide_a_board(places):
    runs, boards = places
    reworded = TRACK.model_copy(update={"summary": "Said otherwise", "seeds": 5})
    write_runs(runs, [make("a"), make("b", track=reworded)], pictures=False)
    assert len(collect(TRACK.name, runs, boards).shown) == 2


def test_only_the_latest_source_of_a_label_is_shown_and_the_others_are_counted(places):
    runs, boards = places
    write_runs(runs, [*seeds("a", (1.0, 1.1), source="11" * 32, day=1), make("b")], pictures=False)
    write_runs(runs, seeds("a", (2.0, 2.1, 2.2), source="22" * 32, day=2), pictures=False)
    collection = collect(TRACK.name, runs, boards)
    assert {found.record.about.source[:2] for found in collection.shown if found.record.about.label == "a"} == {"22"}
    assert [str(each) for each in collection.superseded] == ["2 older trials of a superseded by its current source"]
    assert len(collection.hidden) == 2


def test_a_seed_counts_once(places):
    runs, boards = places
    write_runs(runs, [make("a", 0, 1.0, key="old"), make("a", 0, 2.0, key="new", day=2)], pictures=False)
    collection = collect(TRACK.name, runs, boards)
    assert keys(collection) == ["new"]
    assert "a newer trial of the same seed" in str(collection.superseded[0])


def test_other_tracks_are_left_to_their_own_boards_but_not_beside_this_one(places):
    runs, boards = places
    other = make("z", track=TRACK.model_copy(update={"name": "other"}))
    write_runs(runs, [make("a"), other], pictures=False)
    assert collect(TRACK.name, runs, boards).refused == ()
    publish_by_hand(boards, [other])
    assert "another track, other" in collect(TRACK.name, runs, boards).refused[0].reason


@pytest.mark.parametrize("track", ["tiny-quik", "../tiny-quick", ""])
def test_nothing_to_show_is_a_request_error(places, track):
    runs, boards = places
    write_runs(runs, [make("a")], pictures=False)
    with pytest.raises(RequestError, match=r"did you mean 'tiny-quick'|not the name of a track"):
        collect(track, runs, boards)


def test_no_folders_at_all(places):
    with pytest.raises(RequestError, match="ganbench run --track tiny-quick"):
        collect(TRACK.name, *places)
