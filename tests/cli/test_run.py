"""The main job from the command line: what it writes, what it says, and what it does a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

import ganbench
from ganbench.data.dataset import Dataset
from ganbench.engines import forkserver as starter
from ganbench.experiment.session import Request, prepare, read_timeout
from ganbench.extractors.bundled import LENETS
from ganbench.registry.builtin_metrics import METRICS
from ganbench.registry.registry import Registry
from ganbench.scoring.evaluator import Evaluator
from ganbench.store.run_record import Status, read_record
from ganbench.training.sampling import draw
from ganbench.training.seeds import derive
from ganbench.util.atomic_io import sha256_of

from ..conftest import Answer, Smoke

Command = Callable[..., Answer]
TRACK = "digits-smoke+5steps"


def test_a_run_ends_with_a_board_and_says_where(smoke: Smoke) -> None:
    assert smoke.answer.status == 0, smoke.answer
    assert smoke.answer.err == ""
    for file in (f"{TRACK}.csv", f"{TRACK}-trials.csv", f"{TRACK}.md", "README.md"):
        assert (smoke.boards / file).stat().st_size > 0
    assert f"{TRACK}.md" in smoke.answer.out
    assert all(name in smoke.answer.out for name in ("dcgan", "vae", "real", "noise", "replay"))
    assert len(list((smoke.boards / TRACK / "records").glob("*.json"))) == 5
    for folder in smoke.runs.iterdir():
        assert {path.name for path in folder.iterdir()} >= {
            "record.json",
            "samples.png",
            "curve.csv",
            "checkpoint.pt",
            "log.txt",
        }
        with Image.open(folder / "samples.png") as picture:
            assert picture.width == picture.height


@pytest.fixture
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*words: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(starter, "start", start)


@pytest.mark.usefixtures("no_workers")
def test_the_same_run_again_trains_nothing_and_says_so(smoke: Smoke, command: Command) -> None:
    before = {path: path.stat().st_mtime_ns for path in smoke.runs.rglob("*")}
    answer = command(*smoke.words)
    assert answer.status == 0
    assert "5 of 5 trials have a record" in answer.out
    assert "nothing to train" in answer.out
    assert {path: path.stat().st_mtime_ns for path in smoke.runs.rglob("*")} == before


@pytest.mark.usefixtures("no_workers")
def test_quiet_is_quiet(smoke: Smoke, command: Command) -> None:
    assert command(*smoke.words, "--quiet") == Answer(0, "", "")


def test_what_counts_as_done(smoke: Smoke, registry: Registry, tmp_path: Path) -> None:
    request = {"plugins": "dcgan,vae", "track": "digits-smoke", "seeds": "1", "budget": "5steps"}
    assert len(prepare(Request(**request, out=smoke.runs), registry).waiting) == 0
    assert len(prepare(Request(**request, out=smoke.runs, rerun=True), registry).waiting) == 5
    assert len(prepare(Request(**request | {"seeds": "2"}, out=smoke.runs), registry).waiting) == 5
    assert [
        job.trial.about.label
        for job in prepare(Request(**request | {"plugins": "vae,vae[beta=2]"}, out=smoke.runs), registry).waiting
    ] == ["vae[beta=2.0]"]
    assert len(prepare(Request(**request, out=tmp_path), registry).waiting) == 5


def test_a_record_that_cannot_be_trusted_is_set_aside_and_named(
    smoke: Smoke, registry: Registry, tmp_path: Path
) -> None:
    records = sorted(smoke.runs.glob("*/record.json"))
    damages: list[Callable[[bytes], bytes]] = [
        lambda raw: raw[:100],  # cut off
        lambda raw: raw.replace(b'"repetition": 0', b'"repetition": 1'),  # edited
        lambda raw: records[0].read_bytes(),  # of another trial
    ]
    for path, damage in zip(records[1:], damages, strict=False):
        (tmp_path / path.parent.name).mkdir()
        (tmp_path / path.parent.name / "record.json").write_bytes(damage(path.read_bytes()))
    request = Request("dcgan,vae", track="digits-smoke", seeds=1, budget="5steps", out=tmp_path)
    session = prepare(request, registry)
    assert len(session.waiting) == 5
    assert len(session.notes) == 3
    for path, said in zip(records[1:], ("damaged or foreign", "edited", "of another trial"), strict=False):
        (note,) = (note for note in session.notes if path.parent.name + "/record.json" in note)
        assert said in note
        assert "set aside as record-before-1.json" in note
        assert (tmp_path / path.parent.name / "record-before-1.json").exists()


def test_retry_does_again_what_ended_so(smoke: Smoke, registry: Registry, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(smoke.runs.glob("*/record.json"))):
        record = read_record(path).model_copy(update={"status": list(Status)[number]})
        record.write(tmp_path / record.key / "record.json")
    request = {"plugins": "dcgan,vae", "track": "digits-smoke", "seeds": 1, "budget": "5steps", "out": tmp_path}
    for retry, count in ((None, 0), ("failed", 1), ("timeout, oom", 2), ("killed", 0), ("all", 4)):
        jobs = prepare(Request(**request, retry=retry), registry).waiting
        assert len(jobs) == count
        assert all(job.replaces == sha256_of(job.folder / "record.json") and not job.anew for job in jobs)
    assert all(job.anew for job in prepare(Request(**request, rerun=True), registry).waiting)
    for wrong in ("ok", "", "fail"):
        with pytest.raises(ganbench.RequestError, match="^--retry"):
            prepare(Request(**request, retry=wrong), registry)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_a_timeout_is_read(text: str, seconds: float) -> None:
    assert read_timeout(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1s", "m", "1.2.3s", "soon"])
def test_a_timeout_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ganbench.RequestError, match="^--timeout .*10m"):
        read_timeout(text)


def test_sample_draws_from_a_trained_model(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    keys = {read_record(path).model: path.parent.name for path in smoke.runs.glob("*/record.json")}
    for number, key in enumerate((keys["vae"][:12], keys["replay"], smoke.runs / keys["dcgan"])):
        out = tmp_path / f"{number}.png"
        answer = command("sample", key, "-n", 7, "--runs", smoke.runs, "--out", out)
        assert (answer.status, answer.err) == (0, "")
        with Image.open(out) as picture:
            assert picture.width > picture.height


@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_load_gives_the_model_that_was_scored(smoke: Smoke, digits: Dataset, name: str) -> None:
    (folder,) = (path.parent for path in smoke.runs.glob("*/record.json") if read_record(path).model == name)
    record = read_record(folder / "record.json")
    model = ganbench.load(folder)
    assert not model.training
    cpu = torch.device("cpu")
    judge = Evaluator(digits, LENETS[0].load(cpu, None), "test", METRICS[:1], oracle=True, device=cpu)
    found = judge.score(draw(model, 200, None, derive(record.seed, "samples")))
    assert found.scores["fid"].value == pytest.approx(record.metrics["fid"].value, rel=1e-3)


def test_real_shows_the_held_out_images_and_replay_those_of_training(smoke: Smoke, digits: Dataset) -> None:
    for name, split in (("real", digits.validation), ("replay", digits.train)):
        (folder,) = (path.parent for path in smoke.runs.glob("*/record.json") if read_record(path).model == name)
        labels = torch.from_numpy(split.labels).sort().values
        samples = draw(ganbench.load(folder), len(split), labels, seed=0)
        assert sorted(image.numpy().tobytes() for image in samples) == sorted(image.tobytes() for image in split.images)


def test_a_folder_without_a_trained_model_is_refused(smoke: Smoke, tmp_path: Path) -> None:
    source = next(path.parent for path in smoke.runs.glob("*/record.json") if read_record(path).model == "vae")
    names = ("trial.json", "setting.json", "checkpoint.pt")
    damages: dict[str, Callable[[bytes], bytes]] = {
        "checkpoint.pt": lambda raw: raw[: len(raw) // 2],
        "trial.json": lambda raw: raw.replace(b"ganbench_plugins.vae:VAE", b"ganbench_plugins.gone:VAE"),
    }
    for number, (damaged, damage) in enumerate(damages.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in names:
            raw = (source / name).read_bytes()
            (folder / name).write_bytes(damage(raw) if name == damaged else raw)
        with pytest.raises(ganbench.RequestError) as refusal:
            ganbench.load(folder)
        assert str(folder) in str(refusal.value), damaged
    with pytest.raises(ganbench.RequestError, match="there is no such"):
        ganbench.load(tmp_path / "nowhere")
