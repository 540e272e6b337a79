"""Scores: keys of scoring protocols, and files that are written, read again, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ganbench.errors import RequestError
from ganbench.metric import Score
from ganbench.store.score_record import read_score

from .factory import info, protocol, run_record, score_record


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"dataset": "other"}, False), ({"extractor": "other"}, False), ({"split": "validation"}, False),
        ({"reference_sha256": "0" * 64}, True), ({"train_sha256": "0" * 64}, True),
        ({"extractor_sha256": "0" * 64}, True), ({"samples": 100}, True), ({"curve_samples": 50}, True),
        ({"classifier_steps": 9}, True), ({"classifier_seeds": 9}, True),
    ],
)  # fmt: skip
def test_the_content_of_a_scoring_protocol_counts_and_not_its_names(change: dict[str, Any], counts: bool) -> None:
    assert (protocol(**change).key != protocol().key) is counts


def test_scores_survive_their_file(tmp_path: Path) -> None:
    score = score_record(run_record(), fid=12.5, acc=0.9, skipped={"gan_test": "needs labels"})
    score.write(tmp_path / "score.json")
    assert read_score(tmp_path / "score.json") == score
    raw = (tmp_path / "score.json").read_text()
    (tmp_path / "score.json").write_text(raw.replace('"value": 12.5', '"value": 0.5'))
    with pytest.raises(RequestError, match=r"score\.json: changed after it was written"):
        read_score(tmp_path / "score.json")


def test_metrics_are_lacking_by_name_and_by_version() -> None:
    score = score_record(run_record(), fid=1.0, versions={"fid": 2}, skipped={"acc": "needs labels"})
    assert score.lacks([info("fid", 2), info("acc")]) == []
    assert score.lacks([info("fid", 3), info("acc"), info("vendi")]) == ["fid", "vendi"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_is_a_number(value: float) -> None:
    with pytest.raises(ValidationError):
        Score(value=value, n=1)
