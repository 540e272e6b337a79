"""Records: written, read again, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from ganbench.errors import RequestError
from ganbench.metric import STANDARD
from ganbench.store.run_record import Record, Score, Status, read_record

from ..conftest import Smoke


def test_a_record_survives_its_file(smoke: Smoke, tmp_path: Path) -> None:
    for path in smoke.runs.glob("*/record.json"):
        record = read_record(path)
        record.write(tmp_path / "again.json")
        assert read_record(tmp_path / "again.json") == record
        assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_every_number_a_reader_needs_is_there(smoke: Smoke) -> None:
    records = {record.model: record for record in map(read_record, smoke.runs.glob("*/record.json"))}
    assert set(records) == {"real", "noise", "replay", "dcgan", "vae"}
    for path in smoke.runs.glob("*/record.json"):
        assert json.loads(path.read_text())["key"] == path.parent.name
    for name, record in records.items():
        assert (record.status, record.reason) == (Status.OK, "")
        assert {score.n for score in record.metrics.values()} == {200}
        labelled = name in ("real", "noise", "replay")
        assert record.metrics.keys() == set(STANDARD) - (set() if labelled else {"acc", "gan_test"})
        assert record.absent == ({} if labelled else {"acc": "needs labels", "gan_test": "needs labels"})
        assert record.seconds.keys() >= {"load", "train", "sample", "evaluate", "total"}
        assert record.seconds["total"] == pytest.approx(sum(record.seconds.values()) - record.seconds["total"])
        assert record.peak_memory_bytes > 50 * 2**20
        assert record.curve[-1]["n"] == 100
        wanted = {
            "started",
            "command",
            "git_commit",
            "git_dirty",
            "ganbench",
            "python",
            "torch",
            "device",
            "cpu",
            "threads",
            "precision",
        }
        assert record.provenance.keys() >= wanted
        assert record.provenance["command"][:2] == ["ganbench", "run"]
        assert len(record.track.dataset_sha256) == 64
    for name in ("dcgan", "vae"):
        record = records[name]
        assert (record.steps, record.images) == (5, 5 * record.config["batch_size"])
        assert record.parameters > 1000
        assert record.images_per_second == pytest.approx(record.images / record.seconds["train"])
        assert [point["steps"] for point in record.curve] == [2, 3, 5]


def test_the_baselines_calibrate(smoke: Smoke) -> None:
    values = {
        record.model: {name: score.value for name, score in record.metrics.items()}
        for record in map(read_record, smoke.runs.glob("*/record.json"))
    }
    assert values["replay"]["authenticity"] <= 0.01
    assert values["real"]["authenticity"] > 0.3
    for name in ("noise", "dcgan", "vae"):
        assert values["real"]["fid"] < values[name]["fid"]
        assert values["real"]["coverage"] > values[name]["coverage"]
    assert values["real"]["acc"] > values["noise"]["acc"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-40], lambda raw: b"", lambda raw: b"\xff\xfe", lambda raw: b"[]", lambda raw: b"{}",
        lambda raw: raw.replace(b'"ok"', b'"fine"'), lambda raw: raw.replace(b'"n": 200', b'"n": "many"'),
    ],
    ids=["cut off", "empty", "binary", "list", "object", "status", "type"],
)  # fmt: skip
def test_a_damaged_record_is_named_in_one_line(smoke: Smoke, tmp_path: Path, damage) -> None:
    raw = next(smoke.runs.glob("*/record.json")).read_bytes()
    path = tmp_path / "record.json"
    path.write_bytes(damage(raw))
    assert path.read_bytes() != raw
    with pytest.raises(RequestError, match="damaged or foreign|edited after") as refusal:
        read_record(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    with pytest.raises(RequestError, match="cannot be read"):
        read_record(tmp_path / "missing.json")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_is_a_number(value: float) -> None:
    with pytest.raises(ValidationError):
        Score(value=value, n=1)


def test_what_a_row_is_averaged_over(smoke: Smoke) -> None:
    record: Record = read_record(next(smoke.runs.glob("*/record.json")))
    assert record.row == (record.about.label, record.about.source)
