"""Records that somebody edited, with their checksum computed anew (D7)."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from ganbench.boards.checks import started
from ganbench.store.seeds import run_seed
from tests.store.factory import TRAIN

from .factory import METRICS, Made, board, labels, make, seeds, write

AHEAD = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)).isoformat()


def respecified(made: Made, *, keep_key: bool = False, **changes: Any) -> Made:
    """Return a run whose record says something else; the key fits unless it is to be kept."""
    spec = made.record.spec.model_copy(update=changes)
    key = made.key if keep_key else spec.key
    scores = [score.model_copy(update={"run": key}) for score in made.scores]
    return Made(made.record.model_copy(update={"spec": spec, "key": key}), scores)


def forged_value(made: Made, name: str, value: float) -> Made:
    score = made.scores[0]
    metrics = score.metrics | {name: score.metrics[name].model_copy(update={"value": value})}
    # the range that the record itself gives is widened, too
    info = score.metric_info | {name: score.metric_info[name].model_copy(update={"low": None, "high": None})}
    return made._replace(scores=[score.model_copy(update={"metrics": metrics, "metric_info": info})])


def test_a_key_that_is_not_that_of_the_content_is_refused(tmp_path: Path) -> None:
    forged = respecified(make("a"), keep_key=True, config={"batch_size": 4096})
    true = make("b")
    write(tmp_path, [true])
    folder = tmp_path / forged.key
    forged.record.write(folder / "run.json")
    found = board(tmp_path)
    assert labels(found) == ["b"]
    (refusal,) = found.refused
    assert refusal.what == forged.key
    assert "key" in refusal.reason and forged.record.spec.key in refusal.reason


def test_a_seed_that_was_searched_for_is_refused(tmp_path: Path) -> None:
    found = board(tmp_path, [respecified(make("a"), seed=7), make("b")])
    assert labels(found) == ["b"]
    assert found.refused[0].reason.startswith("its seed 7 is not that of seed index 0")
    assert make("b").record.spec.seed == run_seed(TRAIN, 0)


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        (AHEAD, "in the future"),
        ("2099-01-01", "in the future"),
        ("9999", "no date"),
        ("zzz", "no date"),
        (10**30, "no date"),
    ],
    ids=["in three days", "in a century", "a year", "letters", "a number"],
)
def test_a_start_that_lies_ahead_or_is_no_date_supersedes_nothing(tmp_path: Path, date: Any, reason: str) -> None:
    forged = make("a", 0, 0.1, source="99" * 32, record={"provenance": {"started": date}})
    found = board(tmp_path, [make("a", 0, 20.0), forged])
    assert [entry.metrics["fid"].value for entry in found.entries] == [20.0]
    assert reason in found.refused[0].reason
    assert found.superseded == ()


@pytest.mark.parametrize("said", [{}, {"started": None}])
def test_an_unknown_start_is_the_oldest(tmp_path: Path, said: dict[str, None]) -> None:
    unknown = make("a", 0, 0.1, source="99" * 32, record={"provenance": said})
    assert started(unknown.record) == ""
    found = board(tmp_path, [make("a", 0, 20.0), unknown])
    assert [entry.metrics["fid"].value for entry in found.entries] == [20.0]


def test_a_label_that_is_not_of_its_model_is_refused(tmp_path: Path) -> None:
    info = make("vae").record.spec.model_info.model_copy(update={"label": "dcgan"})
    found = board(tmp_path, [respecified(make("vae"), model_info=info), make("dcgan[a=1]")])
    assert labels(found) == ["dcgan[a=1]"]
    assert "label 'dcgan'" in found.refused[0].reason


@pytest.mark.parametrize(("name", "value"), [("fid", -0.1), ("is", 0.5), ("cas", 1.01), ("recall", -1.0)])
def test_a_value_beyond_its_range_is_refused(tmp_path: Path, name: str, value: float) -> None:
    made = make("a", cas=0.9, recall=0.5)
    forged = forged_value(made, name, value)
    found = board(tmp_path, [forged])
    assert found.refused[0].reason.startswith(f"{name} is {value:g}, which is impossible")
    assert found.refused[0].what == f"{made.key}/scores/{made.scores[0].key}.json"
    assert found.rows[0].row.note.startswith("not scored")


def test_rounding_may_carry_a_value_to_its_bound(tmp_path: Path) -> None:
    found = board(tmp_path, [forged_value(make("a", cas=0.9), "cas", 1 + 1e-9)])
    assert not found.refused
    assert METRICS["cas"].high == 1


def test_a_value_beyond_its_range_on_a_curve_is_refused(tmp_path: Path) -> None:
    made = make("a", curve=True)
    score = made.scores[0]
    point = score.curve[0].model_copy(update={"metrics": {"fid": -5.0, "fid_se": 1.0}})
    forged = made._replace(scores=[score.model_copy(update={"curve": [point, *score.curve[1:]]})])
    assert "fid is -5" in board(tmp_path, [forged]).refused[0].reason


def test_a_value_without_a_description_is_refused(tmp_path: Path) -> None:
    made = make("a")
    made = made._replace(scores=[made.scores[0].model_copy(update={"metric_info": {}})])
    assert "fid is not described" in board(tmp_path, [made]).refused[0].reason


@pytest.mark.parametrize("n", [1001, 10**9])
def test_more_samples_than_there_are_is_refused(tmp_path: Path, n: int) -> None:
    found = board(tmp_path, [make("a", n=n)])
    assert [each.row.runs for each in found.rows] == [0]
    assert "more than there are" in found.refused[0].reason


def test_a_score_of_a_run_without_samples_is_refused(tmp_path: Path) -> None:
    found = board(tmp_path, [make("a", record={"samples": None})])
    assert [each.row.runs for each in found.rows] == [0]
    assert "left no samples" in found.refused[0].reason


def test_scores_of_other_samples_are_refused(tmp_path: Path) -> None:
    made = make("a")
    made = made._replace(scores=[made.scores[0].model_copy(update={"samples_sha256": "0" * 64})])
    found = board(tmp_path, [made])
    assert "of other samples than the run's" in found.refused[0].reason
    assert found.rows[0].row.headline is None


def test_other_code_than_an_installed_distribution_has_is_left_out_and_said(tmp_path: Path) -> None:
    made = [*seeds("dcgan", (1.0, 2.0), source="99" * 32), *seeds("vae", (3.0, 4.0)), make("foreign")]
    write(tmp_path / "published" / "tiny-quick" / "runs", [make("dcgan", 2, source="77" * 32)])
    known = {("ganbench 0.2.0", "dcgan"): "ab" * 32, ("ganbench 0.2.0", "vae"): "ab" * 32}
    found = board(tmp_path / "runs", made, published=tmp_path / "published", known_sources=known)
    assert set(labels(found)) == {"vae", "foreign"}
    assert found.left_out == tuple(
        f"left out {runs} of dcgan: trained with other code than ganbench 0.2.0 has here"
        for runs in ("2 runs", "1 run")
    )


def test_code_of_another_version_is_another_distribution(tmp_path: Path) -> None:
    found = board(tmp_path, [make("dcgan")], known_sources={("ganbench 0.3.0", "dcgan"): "00" * 32})
    assert labels(found) == ["dcgan"]
