"""``ganbench show``: a record in a readable form, and what is known of a trial that has none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.store.run_record import Record, Status, read_record
from ganbench.training.checkpoint import CheckpointWriter

from ..conftest import Answer, Smoke

Command = Callable[..., Answer]


def of(smoke: Smoke, label: str) -> tuple[Path, Record]:
    found = ((path, read_record(path)) for path in smoke.runs.glob("*/record.json"))
    return next((path, record) for path, record in found if record.about.label == label)


def test_a_record_is_shown_whole(smoke: Smoke, command: Command) -> None:
    path, record = of(smoke, "vae")
    answer = command("show", record.key[:10], "--out", smoke.runs)
    assert (answer.status, answer.err) == (0, "")
    track = record.track
    for said in (
        f"{record.key}  vae  seed 0  ok", "latent_dim=20", record.address, record.about.source[:12],
        f"{track.protocol.name} version 1, budget 5steps", track.dataset_sha256[:12], track.extractor_sha256[:12],
        str(record.seed), "fp32", f"{record.parameters:,} parameters", f"{record.images:,} images in 5 steps",
        str(record.provenance["started"]), str(record.provenance["torch"]), "ganbench run --plugins dcgan,vae",
        str(path), str(path.parent / "samples.png"), str(path.parent / "curve.csv"),
        "no acc, GAN-test: needs labels", "loss kl",
    ):  # fmt: skip
        assert said in answer.out, said
    lines = [line.split() for line in answer.out.splitlines()]
    for metric in track.metrics:
        if metric.name in record.metrics:
            (cells,) = (cells for cells in lines if cells[:1] == [metric.title] and "200" in cells)
            assert float(cells[1]) == pytest.approx(record.metrics[metric.name].value, abs=6e-4)
    fid = record.metrics["fid"]
    assert [f"{fid.value:.3f}", f"{fid.se:.3f}", "200", "↓"] in [cells[1:5] for cells in lines if "FID" in cells]
    assert sum(cells[:1] == [f"{point['images']:,.0f}"] for point in record.curve for cells in lines) >= 1


def test_every_name_of_a_record_leads_to_it_and_json_is_the_file(smoke: Smoke, command: Command) -> None:
    path, record = of(smoke, "dcgan")
    for key in (record.key, path.parent, path):
        assert command("show", key, "--out", smoke.runs).out.startswith(f"{record.key}  dcgan")
    answer = command("show", record.key, "--out", smoke.runs, "--json")
    assert answer.out == path.read_text()
    assert json.loads(answer.out)["key"] == record.key


def test_a_published_record_is_shown_where_there_is_no_trial(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    _, record = of(smoke, "vae")
    answer = command("show", record.key[:9], "--out", tmp_path, "--boards", smoke.boards)
    assert answer.out.startswith(f"{record.key}  vae")
    assert f"{record.key}.json" in answer.out
    assert "picture" not in answer.out


def test_a_failed_trial_says_why_with_the_end_of_its_log(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    _, record = of(smoke, "vae")
    failed = record.model_copy(
        update={
            "status": Status.OOM, "reason": "out of\nmemory", "log": "one\n\x1b[31mMemoryError\x1b[0m\x07\n",
            "metrics": {}, "curve": [], "seconds": {}, "resumed": [16, 4000], "provenance": {}, "peak_memory_bytes": 0,
        }
    )  # fmt: skip
    failed.write(tmp_path / "record.json")
    answer = command("show", tmp_path)
    assert answer.status == 0
    for said in (
        "seed 0  oom",
        "out of memory",
        "the end of its log:\n  one\n  MemoryError\n",
        "after 16, 4,000 images",
    ):
        assert said in answer.out
    assert "\x1b" not in answer.out
    assert "\x07" not in answer.out


def test_of_a_trial_without_a_record_what_is_known(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    path, record = of(smoke, "vae")
    folder = shutil.copytree(path.parent, tmp_path / record.key)
    (folder / "record.json").unlink()
    (folder / "log.txt").write_text("warming up\n")
    assert "interrupted, not begun" in command("show", record.key, "--out", tmp_path).out
    keeper = CheckpointWriter(folder, 0.0)
    keeper.save(lambda: {}, {"share": 0.125})
    keeper.wait()
    for key in (record.key[:6], folder):
        answer = command("show", key, "--out", tmp_path)
        assert (answer.status, answer.err) == (0, "")
        for said in ("interrupted, at 12 %", "at 12.5 % of the budget", "latent_dim=20", "  warming up", str(folder)):
            assert said in answer.out
    assert command("show", folder, "--json").status == 2
    (folder / "trial.json").write_text("{")
    assert "trial.json: damaged" in command("show", folder).out


def test_what_is_not_there_or_not_trusted_is_one_line(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    path, record = of(smoke, "vae")
    edited = tmp_path / record.key / "record.json"
    edited.parent.mkdir()
    edited.write_text(path.read_text().replace('"repetition": 0', '"repetition": 1'))
    for key, said in ((record.key, "edited after"), (edited, "edited after"), ("nope", "no record of that key")):
        answer = command("show", key, "--out", tmp_path, "--boards", tmp_path)
        assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert said in answer.err
