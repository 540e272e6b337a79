"""What a real, small run leaves in its store: every number that a reader needs, and baselines that calibrate."""

from __future__ import annotations

import pytest

from ganbench.metric import STANDARD
from ganbench.store.run_record import RunStatus
from ganbench.store.samples import read_samples
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store, StoredRun

from ..conftest import Smoke

BASELINES = ("real", "noise", "replay")


@pytest.fixture(scope="module")
def found(smoke: Smoke) -> dict[str, StoredRun]:
    return {each.record.spec.model_info.name: each for each in Store(smoke.runs).records() if each.record}


def score(run: StoredRun) -> ScoreRecord:
    (only,) = run.scores
    return only


def test_every_number_a_reader_needs_is_there(found: dict[str, StoredRun]) -> None:
    assert found.keys() == {*BASELINES, "dcgan", "vae"}
    for name, run in found.items():
        record, scores = run.record, score(run)
        assert record is not None
        assert (record.status, record.reason, run.problems) == (RunStatus.OK, "", [])
        assert {each.n for each in scores.metrics.values()} == {scores.n} == {200}
        labelled = name in BASELINES
        assert scores.metrics.keys() == set(STANDARD) - (set() if labelled else {"cas", "gan_test"})
        assert scores.skipped == ({} if labelled else {"cas": "needs labels", "gan_test": "needs labels"})
        assert scores.metric_info.keys() == set(STANDARD)
        assert {"started", "command", "ganbench", "python", "torch", "cpu"} <= record.provenance.keys()
        assert record.provenance["command"][:2] == ["ganbench", "run"]
        assert record.samples is not None
        assert len(read_samples(run.folder, record.samples)) == record.samples.n >= 200
    for name in ("dcgan", "vae"):
        run = found[name]
        record = run.record
        assert record is not None
        assert record.seconds.keys() >= {"load", "train", "sample", "total"}
        assert record.seconds["total"] == pytest.approx(sum(record.seconds.values()) - record.seconds["total"])
        assert (record.steps, record.images) == (5, 5 * record.spec.config["batch_size"])
        assert record.parameters > 1000
        assert record.peak_memory_bytes > 50 * 2**20
        assert record.flops is not None and record.flops > 1e6
        assert record.images_per_second == pytest.approx(record.images / record.seconds["train"])
        assert [point.steps for point in record.curve] == [2, 3, 5]
        assert score(run).curve[-1].n == 100


def test_the_baselines_calibrate(found: dict[str, StoredRun]) -> None:
    values = {name: {metric: each.value for metric, each in score(run).metrics.items()} for name, run in found.items()}
    assert values["replay"]["authenticity"] <= 0.01
    assert values["real"]["authenticity"] > 0.3
    for name in ("noise", "dcgan", "vae"):
        assert values["real"]["fid"] < values[name]["fid"]
        assert values["real"]["coverage"] > values[name]["coverage"]
    assert values["real"]["cas"] > values["noise"]["cas"]
