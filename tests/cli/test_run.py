"""The main job from the command line: what it writes, what it says, and what it does a second time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganbench
from ganbench.data.dataset import Dataset
from ganbench.engines import forkserver
from ganbench.experiment.session import Request, prepare, read_duration
from ganbench.registry.registry import Registry
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.samples import read_samples
from ganbench.store.seeds import derive
from ganbench.store.store import Store
from ganbench.training.sampling import draw
from ganbench.util.atomic_io import sha256_of

from ..conftest import Answer, Smoke, at

Command = Callable[..., Answer]
TRACK = "digits-smoke+5steps"
BASELINES = {"real", "noise", "replay"}


def records(runs: Path) -> dict[str, RunRecord]:
    """Return the records of a store by label."""
    store = Store(runs)
    found = [store.read(key) for key in store.keys()]
    return {record.spec.model_info.label: record for record in found if record is not None}


def test_a_run_ends_with_a_board_and_says_where(smoke: Smoke) -> None:
    assert smoke.answer.status == 0, smoke.answer
    assert smoke.answer.err == ""
    for file in (f"{TRACK}.csv", f"{TRACK}-runs.csv", f"{TRACK}.md", f"{TRACK}/grids.png", f"{TRACK}/curves.png"):
        assert (smoke.boards / file).stat().st_size > 0
    assert f"{TRACK}.md" in smoke.answer.out
    assert all(name in smoke.answer.out for name in ("dcgan", "vae", *BASELINES))
    found = records(smoke.runs)
    assert set(found) == {"dcgan", "vae", *BASELINES}
    for label, record in found.items():
        folder = smoke.runs / record.key
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert there >= {"run.json", "samples/final.npy", "samples.png"}
        assert len(list(folder.glob("scores/*.json"))) == 1
        trained = {"curve.csv", "checkpoint.pt", "log.txt", "spec.json", "runtime.json"}
        assert (there >= trained) is (label not in BASELINES)
        with Image.open(folder / "samples.png") as picture:
            assert picture.width == picture.height


def test_a_record_holds_no_score_and_names_its_samples(smoke: Smoke) -> None:
    record = records(smoke.runs)["dcgan"]
    assert "fid" not in (smoke.runs / record.key / "run.json").read_text()
    assert record.samples is not None
    samples = read_samples(smoke.runs / record.key, record.samples)
    assert (samples.dtype, samples.shape) == (np.uint8, (200, 1, 8, 8))
    assert [point.samples is not None for point in record.curve] == [True] * (len(record.curve) - 1) + [False]
    assert record.seconds["sample"] > 0
    assert record.flags == []


def test_the_worker_was_given_training_images_alone(smoke: Smoke, digits: Dataset) -> None:
    log = "".join(path.read_text() for path in smoke.runs.glob("*/log.txt"))
    assert log == ""
    record = records(smoke.runs)["vae"]
    assert record.spec.training.train_sha256 == digits.train_sha256
    assert digits.sha256 not in (smoke.runs / record.key / "run.json").read_text()


@pytest.fixture
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*words: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(forkserver, "start", start)


@pytest.mark.usefixtures("no_workers")
def test_the_same_run_again_trains_nothing_and_says_so(smoke: Smoke, command: Command) -> None:
    before = {path: path.stat().st_mtime_ns for path in smoke.runs.rglob("*")}
    answer = command(*smoke.words)
    assert answer.status == 0
    assert "all 2 runs are in" in answer.out
    assert "nothing to train" in answer.out
    assert {path: path.stat().st_mtime_ns for path in smoke.runs.rglob("*")} == before


@pytest.mark.usefixtures("no_workers")
def test_quiet_is_quiet(smoke: Smoke, command: Command) -> None:
    assert command(*smoke.words, "--quiet") == Answer(0, "", "")


def test_what_counts_as_done(smoke: Smoke, registry: Registry, tmp_path: Path) -> None:
    def session(**changes: object) -> tuple[list[str], int]:
        request = {"plugins": "dcgan,vae", "track": "digits-smoke", "seeds": "1", "budget": "5steps"}
        found = prepare(Request(**{**request, "runs": smoke.runs, **changes}), registry)
        return [job.spec.model_info.label for job in found.train], len(found.score)

    assert session() == ([], 0)
    assert session(rerun=True) == (["dcgan", "vae"], 0)
    assert session(seeds="2") == (["dcgan", "vae"], 0)
    assert session(plugins="vae,vae[beta=2]") == (["vae[beta=2.0]"], 0)
    assert session(runs=tmp_path) == (["dcgan", "vae"], 3)
    assert session(metrics="standard,vendi") == ([], 5)  # another metric trains nothing
    assert session(extractor="lenet-fashion-mnist") == ([], 5)
    assert session(precision="bf16") == (["dcgan", "vae"], 0)


def test_the_board_printed_holds_what_was_asked_for(smoke: Smoke, command: Command) -> None:
    words = [word if word != "dcgan,vae" else "vae" for word in smoke.words]
    answer = command(*words)
    assert answer.status == 0
    assert "dcgan" not in answer.out
    assert "1 more row of earlier commands" in answer.out
    assert "dcgan" in (smoke.boards / f"{TRACK}.csv").read_text()


def test_a_record_that_cannot_be_trusted_is_set_aside_and_named(
    smoke: Smoke, registry: Registry, tmp_path: Path
) -> None:
    paths = [smoke.runs / record.key / "run.json" for label, record in records(smoke.runs).items()
             if label not in BASELINES]  # fmt: skip
    damages: list[Callable[[bytes], bytes]] = [
        lambda raw: raw[:100],  # cut off
        lambda raw: raw.replace(b'"seed_index": 0', b'"seed_index": 1'),  # edited
    ]
    for path, damage in zip(paths, damages, strict=True):
        (tmp_path / path.parent.name).mkdir()
        (tmp_path / path.parent.name / "run.json").write_bytes(damage(path.read_bytes()))
    session = prepare(Request("dcgan,vae", track="digits-smoke", seeds=1, budget="5steps", runs=tmp_path), registry)
    assert len(session.train) == 2
    assert len(session.notes) == 2
    for path, said in zip(paths, ("changed after it was written", "changed after it was written"), strict=True):
        (note,) = (note for note in session.notes if path.parent.name + "/run.json" in note)
        assert said in note
        assert "set aside as run-before-1.json" in note
        assert (tmp_path / path.parent.name / "run-before-1.json").exists()


def test_retry_trains_again_what_ended_so(smoke: Smoke, registry: Registry, tmp_path: Path) -> None:
    for label, status in (("dcgan", RunStatus.FAILED), ("vae", RunStatus.TIMEOUT)):
        record = records(smoke.runs)[label].model_copy(update={"status": status, "samples": None})
        record.write(tmp_path / record.key / "run.json")
    request = {"plugins": "dcgan,vae", "track": "digits-smoke", "seeds": 1, "budget": "5steps", "runs": tmp_path}
    for retry, count in ((None, 0), ("failed", 1), ("timeout, oom", 1), ("killed", 0), ("all", 2)):
        jobs = prepare(Request(**request, retry=retry), registry).train
        assert len(jobs) == count
        assert all(job.replaces == sha256_of(job.folder / "run.json") and not job.restart for job in jobs)
    assert all(job.restart for job in prepare(Request(**request, rerun=True), registry).train)
    for wrong in ("ok", "", "fail"):
        with pytest.raises(ganbench.RequestError, match="^--retry"):
            prepare(Request(**request, retry=wrong), registry)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_a_timeout_is_read(text: str, seconds: float) -> None:
    assert read_duration("--stall-timeout", text, 1.0) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1s", "m", "1.2.3s", "soon"])
def test_a_timeout_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ganbench.RequestError, match="^--stall-timeout .*10m"):
        read_duration("--stall-timeout", text, 1.0)


def test_sample_draws_from_a_trained_model(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    found = records(smoke.runs)
    keys = (found["vae"].key[:12], smoke.runs / found["dcgan"].key)
    for number, key in enumerate(keys):
        out = tmp_path / f"{number}.png"
        answer = command("sample", key, "-n", 7, "--runs", smoke.runs, "--export", out)
        assert (answer.status, answer.err) == (0, "")
        with Image.open(out) as picture:
            assert picture.width > picture.height
    answer = command("sample", keys[0], "-n", 11, "--runs", smoke.runs, "--export", tmp_path / "s.npz")
    assert answer.status == 0
    assert np.load(tmp_path / "s.npz", allow_pickle=False)["samples"].shape == (11, 1, 8, 8)
    assert command("sample", keys[0], "-n", 11, "--runs", smoke.runs, "--export", tmp_path / "folder").status == 0
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [f"{n:02}.png" for n in range(11)]
    refused = command("sample", found["real"].key, "--runs", smoke.runs, "--export", tmp_path / "x.png")
    assert (refused.status, "is a baseline, which is not trained" in refused.err) == (2, True)


@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_load_gives_the_model_that_drew_the_samples(smoke: Smoke, name: str) -> None:
    record = records(smoke.runs)[name]
    model = ganbench.load(smoke.runs / record.key)
    assert not model.training
    assert record.samples is not None
    samples = draw(model, record.samples.n, None, derive(record.spec.seed, "samples"))
    assert (samples.numpy() == read_samples(smoke.runs / record.key, record.samples)).all()


def test_real_shows_the_validation_images_and_replay_those_of_training(smoke: Smoke, digits: Dataset) -> None:
    for name, split in (("real", digits.validation), ("replay", digits.train)):
        record = records(smoke.runs)[name]
        assert record.samples is not None
        images = {image.tobytes() for image in split.images}
        samples = [image.tobytes() for image in read_samples(smoke.runs / record.key, record.samples)]
        assert set(samples) <= images
        assert len(set(samples)) == len(set(samples) & images) > 190


def test_a_folder_without_a_trained_model_is_refused(smoke: Smoke, tmp_path: Path) -> None:
    source = smoke.runs / records(smoke.runs)["vae"].key
    for number, name in enumerate(("checkpoint.pt", "run.json", "runtime.json")):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in ("run.json", "runtime.json", "checkpoint.pt"):
            raw = (source / file).read_bytes()
            (folder / file).write_bytes(raw[: len(raw) // 2] if file == name else raw)
        with pytest.raises(ganbench.RequestError) as refusal:
            ganbench.load(folder)
        assert str(folder) in str(refusal.value), name
    with pytest.raises(ganbench.RequestError, match="there is no such"):
        ganbench.load(tmp_path / "nowhere")


def test_score_adds_a_metric_and_an_extractor_and_trains_nothing(
    smoke: Smoke, command: Command, tmp_path: Path
) -> None:
    shutil.copytree(smoke.runs, tmp_path / "runs")
    answer = command("score", "--track", "digits-smoke", *at(tmp_path), "--metrics", "vendi",
                     "--extractor", "lenet-fashion-mnist")  # fmt: skip
    assert answer.status == 0, answer
    assert "to train" not in answer.out.replace("nothing to train", "")
    assert not (tmp_path / "boards" / "digits-smoke+5steps.csv").exists()
    answer = command("score", *at(tmp_path), "--metrics", "standard,vendi", "--extractor", "lenet-fashion-mnist")
    head, *rows = (tmp_path / "boards" / "digits-smoke+5steps.csv").read_text().splitlines()
    names = head.split(",")
    assert names.index("fid") < names.index("vendi") < names.index("fid@lenet-fashion-mnist")
    assert len(rows) == 5
    assert all(row.split(",")[names.index("fid@lenet-fashion-mnist")] for row in rows)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.json")}
    assert command("score", *at(tmp_path), "--metrics", "vendi").status == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.json")} == before
