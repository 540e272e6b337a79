"""``ganbench show``: a run and its scores in a readable form, and what is known of a run that has no record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.store.run_record import RunRecord
from ganbench.store.score_record import ScoreRecord

from ..conftest import Answer
from ..store.factory import begin, checkpoint, protocol, put, run_record, score_record, spec

Command = Callable[..., Answer]
VALIDATION = protocol(split="validation", reference_sha256="7" * 64, extractor="other-net", extractor_sha256="8" * 64)


@pytest.fixture
def record() -> RunRecord:
    asked = spec("vae[latent_dim=20]", 2, config={"latent_dim": 20})
    return run_record(asked, flags=["training went on while samples were drawn"], flops=1.2e12)


@pytest.fixture
def folder(tmp_path: Path, record: RunRecord) -> Path:
    """A run with scores under two protocols."""
    values = {"fid": 20.25, "is": 8.125, "recall": 0.0001}
    scores = [
        score_record(record, skipped={"cas": "needs labels", "gan_test": "needs labels"}, **values),
        score_record(record, VALIDATION, fid=31.5),
    ]
    folder = put(tmp_path / "runs", record, scores)
    for name in ("samples.png", "curve.csv", "checkpoint.pt"):
        (folder / name).touch()
    return folder


def test_a_run_is_shown_whole(folder: Path, record: RunRecord, command: Command) -> None:
    answer = command("show", record.key[:10], "--runs", folder.parent)
    assert (answer.status, answer.err) == (0, "")
    training = record.spec.training
    for said in (
        f"{record.key}  vae[latent_dim=20]  seed 2  ok", "latent_dim=20", record.spec.import_path,
        record.spec.model_info.source[:12], "8kimg, fp32", "digits, 1,000 of 1x8x8, 10 classes",
        training.train_sha256[:12], f"{record.spec.seed}, seed index 2", "1,234 parameters",
        "8,000 images in 125 steps", "FLOPs       1.2 TFLOPs of training",
        str(record.provenance["started"]), str(record.provenance["torch"]), "ganbench run --plugins tiny",
        str(folder / "run.json"), str(folder / "samples.png"), str(folder / "curve.csv"),
        str(folder / "samples" / "final.npy"), "they can be drawn again from the checkpoint",
        "note        training went on while samples were drawn", "no CAS, GAN_TEST: needs labels", "loss g",
        f"scores {protocol().key}  1,000 samples against the test split of digits", "lenet-mnist, sha256 eeeeeeeeeeee",
        f"scores {VALIDATION.key}  1,000 samples against the validation split", "other-net, sha256 888888888888",
    ):  # fmt: skip
        assert said in answer.out, said
    lines = [line.split() for line in answer.out.splitlines()]
    metrics = [cells for cells in lines if "1,000" in cells and cells[0] in ("FID", "IS", "R")]
    assert sorted(cells[:4] for cells in metrics) == [
        ["FID", "20.2", "0.203", "1,000"], ["FID", "31.5", "0.315", "1,000"], ["IS", "8.125", "0.081", "1,000"],
        ["R", "1.0e-04", "1.0e-06", "1,000"],
    ]  # fmt: skip
    assert ["1,000", "16", "1.5", "500", "1.25", "0.75"] in lines  # of training
    assert ["1,000", "500", "40.5", "16.25", "0.000"] in lines  # of the scores on the curve


def test_every_name_of_a_run_leads_to_it_and_json_is_its_content(
    folder: Path, record: RunRecord, command: Command
) -> None:
    for key in (record.key, folder, folder / "run.json", next(folder.glob("scores/*.json"))):
        assert command("show", key, "--runs", folder.parent).out.startswith(f"{record.key}  vae")
    content = json.loads(command("show", record.key, "--runs", folder.parent, "--json").out)
    assert content.keys() == {"run", "scores"}
    assert RunRecord.model_validate(content["run"]) == record
    scores = [ScoreRecord.model_validate(each) for each in content["scores"]]
    assert {score.protocol.split for score in scores} == {"test", "validation"}


def test_scores_that_cannot_be_used_are_named(folder: Path, record: RunRecord, command: Command) -> None:
    path = folder / "scores" / f"{VALIDATION.key}.json"
    path.write_text(path.read_text().replace("31.5", "1.5"))
    answer = command("show", record.key, "--runs", folder.parent)
    assert (answer.status, f"scores {VALIDATION.key}" in answer.out, f"scores {protocol().key}" in answer.out) == (
        0,
        False,
        True,
    )
    assert f"not used: score {path}: changed after it was written" in answer.out
    answer = command("show", record.key, "--runs", folder.parent, "--json")
    assert len(json.loads(answer.out)["scores"]) == 1
    assert "changed after it was written" in answer.err


def test_a_run_without_scores_says_how_to_get_them(command: Command, tmp_path: Path, record: RunRecord) -> None:
    put(tmp_path, record)
    answer = command("show", record.key, "--runs", tmp_path)
    assert f"not scored yet: `ganbench score {record.key}`" in answer.out
    assert "not there; and neither is the checkpoint" in answer.out


def test_a_published_run_is_shown_where_there_is_none_here(
    folder: Path, record: RunRecord, command: Command, tmp_path: Path
) -> None:
    published = tmp_path / "published" / "tiny-quick"
    published.mkdir(parents=True)
    folder.parent.rename(published / "runs")
    answer = command("show", record.key[:9], "--runs", tmp_path / "runs", "--published", tmp_path / "published")
    assert answer.out.startswith(f"{record.key}  vae")
    assert str(published / "runs" / record.key / "run.json") in answer.out
    assert "FID" in answer.out


def test_a_failed_run_says_why_with_the_end_of_its_log(command: Command, tmp_path: Path) -> None:
    failed = run_record(
        status="oom", reason="out of\nmemory", log="one\n\x1b[31mMemoryError\x1b[0m\x07\n", points=0, seconds={},
        resumed=[16, 4000], provenance={}, peak_memory_bytes=0,
    )  # fmt: skip
    folder = put(tmp_path, failed)
    answer = command("show", folder)
    assert answer.status == 0
    for said in (
        "seed 0  oom", "out of memory", "the end of its log:\n  one\n  MemoryError\n", "after 16, 4,000 images",
    ):  # fmt: skip
        assert said in answer.out
    assert "\x1b" not in answer.out
    assert "\x07" not in answer.out
    assert "not scored" not in answer.out
    assert "FLOPs" not in answer.out


def test_of_a_run_without_a_record_what_is_known(command: Command, tmp_path: Path) -> None:
    folder = begin(tmp_path, spec("vae", config={"latent_dim": 20}))
    (folder / "log.txt").write_text("warming up\n")
    assert "interrupted, not begun" in command("show", folder.name, "--runs", tmp_path).out
    checkpoint(folder, 0.125)
    for key in (folder.name[:9], folder):
        answer = command("show", key, "--runs", tmp_path)
        assert (answer.status, answer.err) == (0, "")
        for said in ("interrupted, at 12 %", "at 12.5 % of the budget", "latent_dim=20", "  warming up", str(folder)):
            assert said in answer.out
    assert command("show", folder, "--json").status == 2
    (folder / "spec.json").write_text("{")
    assert "spec.json: damaged" in command("show", folder).out


def test_what_is_not_there_or_not_trusted_is_one_line(folder: Path, record: RunRecord, command: Command) -> None:
    edited = folder / "run.json"
    edited.write_text(edited.read_text().replace('"seed_index": 2', '"seed_index": 1'))
    for key, said in ((record.key, "changed after"), (edited, "changed after"), ("nope", "no run of that key")):
        answer = command("show", key, "--runs", folder.parent, "--published", folder)
        assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert said in answer.err
