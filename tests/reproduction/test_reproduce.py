"""What a record needs to be reproduced here: each lack refused, all of them in one line; and how it is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import ganbench
from ganbench.errors import RequestError
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registry
from ganbench.reproduction import reproduce as reproduction
from ganbench.reproduction.reproduce import Reproduction, Request, prepare
from ganbench.store.run_record import Record, Status, make_key, read_record
from ganbench.store.store import Store

from .conftest import Smoke

OTHER = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def record(smoke: Smoke) -> Record:
    return next(found for found in map(read_record, smoke.runs.glob("*/record.json")) if found.model == "vae")


def changed(record: Record, **updates: Any) -> Record:
    """Return a record of which a part is another, and that is consistent with itself, as one made elsewhere is.

    Updates of `about`, `track` and `provenance` are of their parts.
    """
    about = record.about.model_copy(update=updates.pop("about", {}))
    track = record.track.model_copy(update=updates.pop("track", {}))
    finger = track.protocol.fingerprint(track.dataset_sha256, track.extractor_sha256, track.metrics)
    track = track.model_copy(update={"fingerprint": finger})
    provenance = record.provenance | updates.pop("provenance", {})
    record = record.model_copy(update={"about": about, "track": track, "provenance": provenance, **updates})
    key = make_key(about, record.config, finger, record.seed, record.precision)
    return record.model_copy(update={"key": key, "model": about.name})


@pytest.fixture
def prepared(tmp_path: Path, registry: Registry) -> Callable[..., Reproduction]:
    """Return a function that asks for the reproduction of a record which lies alone in a store."""

    def ask(record: Record, known: Registry = registry, **options: Any) -> Reproduction:
        path = tmp_path / "runs" / record.key / "record.json"
        record.write(path)
        request = Request(str(path), **{"out": tmp_path / "out", "boards": tmp_path / "boards", **options})
        return prepare(request, known)

    return ask


def with_metric(record: Record, name: str, **update: Any) -> dict[str, Any]:
    metrics = [facts.model_copy(update=update) if facts.name == name else facts for facts in record.track.metrics]
    return {"metrics": tuple(metrics)}


def test_the_trial_is_the_records_own(prepared: Callable[..., Reproduction], record: Record, tmp_path: Path) -> None:
    found = prepared(record)
    (job,) = found.session.waiting
    assert job.trial.key == record.key
    assert (job.trial.seed, job.trial.config, job.trial.track) == (record.seed, record.config, record.track)
    assert job.folder == tmp_path / "out" / record.key
    assert (job.setting.device, job.setting.threads) == ("cpu", record.provenance["threads"])
    assert (job.replaces, job.anew, found.session.notes) == (None, False, [])


def test_it_is_trained_as_recorded_unless_asked_otherwise(
    prepared: Callable[..., Reproduction], record: Record
) -> None:
    recorded = changed(record, provenance={"threads": 3, "deterministic": True})
    setting = prepared(recorded).session.setting
    assert (setting.threads, setting.deterministic) == (3, True)
    assert prepared(recorded, threads=2).session.setting.threads == 2
    unknown = changed(record, provenance={"threads": "many", "deterministic": "yes"})
    setting = prepared(unknown).session.setting
    assert (setting.threads >= 1, setting.deterministic) == (True, False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_gpu_that_is_not_here_is_said(prepared: Callable[..., Reproduction], record: Record) -> None:
    recorded = changed(record, provenance={"device": "NVIDIA H200", "cuda": "13.0"})
    session = prepared(recorded).session
    assert session.setting.device == "cpu"
    assert session.notes == ["it was recorded on NVIDIA H200, and there is none here: on cpu"]
    assert prepared(recorded, device="cpu").session.notes == []
    with pytest.raises(RequestError, match="this machine has no CUDA device"):
        prepared(recorded, device="cuda")


def test_what_an_earlier_one_left_is_replaced(
    prepared: Callable[..., Reproduction], record: Record, tmp_path: Path
) -> None:
    path = Store(tmp_path / "out").folder(record.key) / "record.json"
    record.write(path)
    (job,) = prepared(record).session.waiting
    assert job.anew
    kept = Store(tmp_path / "out").read(record.key)
    assert kept is not None
    assert job.replaces == kept.sha256
    path.write_text("{}")
    found = prepared(record)
    assert (found.session.waiting[0].replaces, path.exists()) == (None, False)
    assert "set aside as record-before-1.json" in found.session.notes[0]


LACKS: dict[str, tuple[Callable[[Record], dict[str, Any]], str]] = {
    "model": (lambda r: {"about": {"name": "vaee", "distribution": "my-gans 1.2"}, "address": "my_gans:VAEE"},
              "model 'vaee' of my-gans 1.2 is not here (unknown model 'vaee' (did you mean 'vae'?))"),
    "version": (lambda r: {"about": {"version": "0"}}, "model 'vae' is version '1', recorded '0'"),
    "source": (lambda r: {"about": {"source": OTHER}}, "recorded 0123456789ab"),
    "unknown parameter": (lambda r: {"config": r.config | {"depth": 3}}, "model 'vae' has no parameter 'depth'"),
    "parameter": (lambda r: {"config": r.config | {"latent_dim": "wide"}}, "latent_dim='wide' is not of type int"),
    "default": (lambda r: {"config": {}}, "its hyper-parameters read otherwise here: "),
    "data set": (lambda r: {"track": {"dataset_sha256": OTHER}}, "data set 'digits' has hash "),
    "extractor": (lambda r: {"track": {"extractor_sha256": f"{OTHER}/p1"}}, "recorded 0123456789ab/p1"),
    "no data set": (
        lambda r: {"track": {"protocol": r.track.protocol.model_copy(update={"dataset": "digitz"})}},
        "data set 'digitz' is not here (unknown data set 'digitz' (did you mean 'digits'?))",
    ),
    "no extractor": (
        lambda r: {"track": {"protocol": r.track.protocol.model_copy(update={"extractor": "lenet-minst"})}},
        "extractor 'lenet-minst' is not here (unknown extractor 'lenet-minst' (did you mean 'lenet-mnist'?))",
    ),
    "no metric": (
        lambda r: {"track": {"protocol": r.track.protocol.model_copy(update={"metrics": ("fid", "gloss")})}},
        "metric 'gloss' is not here (unknown metric 'gloss'",
    ),
    "metric": (lambda r: {"track": with_metric(r, "recall", version=7)},
               "metric 'recall' is version 1, recorded 7"),
}  # fmt: skip


@pytest.mark.parametrize("lack", LACKS)
def test_each_lack_is_refused(prepared: Callable[..., Reproduction], record: Record, tmp_path: Path, lack: str) -> None:
    update, said = LACKS[lack]
    with pytest.raises(RequestError, match="cannot be reproduced") as refusal:
        prepared(changed(record, **update(record)))
    assert said in str(refusal.value)
    assert str(refusal.value).count(";") == 1, (
        "only what differs is named"
    )  # the other parts what is here from what was
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_hashes_are_both_said(prepared: Callable[..., Reproduction], record: Record) -> None:
    with pytest.raises(RequestError) as refusal:
        prepared(changed(record, about={"source": OTHER, "distribution": "ganbench 0.0.7"}))
    assert f"has source {record.about.source[:12]}, recorded {OTHER[:12]}" in str(refusal.value)
    assert "(recorded with ganbench 0.0.7, ganbench " in str(refusal.value)
    assert f"here is ganbench {ganbench.__version__})" in str(refusal.value)


def test_another_protocol_is_refused(
    prepared: Callable[..., Reproduction], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.tracks.track.PROTOCOL", 99)
    with pytest.raises(RequestError, match="recorded " + record.track.fingerprint[:12]) as refusal:
        prepared(record)
    assert "gives its track fingerprint" in str(refusal.value)


def test_a_record_that_contradicts_itself_is_refused(prepared: Callable[..., Reproduction], record: Record) -> None:
    with pytest.raises(RequestError, match=f"what it says of itself has key .*, recorded {record.key[:12]}"):
        prepared(record.model_copy(update={"seed": record.seed + 1}))


@pytest.mark.parametrize("key", ["../../away", "/tmp/away", ""])
def test_a_key_leads_nowhere_else(
    prepared: Callable[..., Reproduction], record: Record, tmp_path: Path, key: str
) -> None:
    path = tmp_path / "stranger.json"
    record.model_copy(update={"key": key}).write(path)
    with pytest.raises(RequestError, match="cannot be the name of a folder"):
        prepare(Request(str(path), out=tmp_path / "out"), discover())


def test_all_that_differs_is_in_one_line(prepared: Callable[..., Reproduction], record: Record) -> None:
    everything = {
        "about": {"source": OTHER, "version": "0"},
        "config": {"depth": 3},
        "track": {"dataset_sha256": OTHER, "extractor_sha256": OTHER, **with_metric(record, "is", version=9)},
    }
    with pytest.raises(RequestError) as refusal:
        prepared(changed(record, **everything))
    for what in ("version '1'", "has source", "'depth'", "data set 'digits'", "extractor 'lenet-mnist'", "metric 'is'"):
        assert what in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_records_own_folder_is_not_trained_in(
    prepared: Callable[..., Reproduction], record: Record, tmp_path: Path
) -> None:
    for options in ({"out": tmp_path / "runs"}, {"out": tmp_path / "x", "runs": tmp_path / "x"}):
        with pytest.raises(RequestError, match="is where records to be reproduced lie: name another folder"):
            prepared(record, **options)
    with pytest.raises(RequestError, match="--threads 0: at least 1"):
        prepared(record, threads=0)
    with pytest.raises(RequestError, match="there is no such file"):
        prepared(record, weights=tmp_path / "none.pth")


def test_a_file_is_run_only_where_it_was_named(
    prepared: Callable[..., Reproduction], record: Record, tmp_path: Path
) -> None:
    path, marker = tmp_path / "sly.py", tmp_path / "executed"
    path.write_text(f"open({str(marker)!r}, 'w').close()\n")
    with pytest.raises(RequestError, match="--plugin FILE.py:Class says where it lies now"):
        prepared(changed(record, about={"name": "sly"}, address=f"{path}:Sly"))
    assert not marker.exists()


def test_python_refuses_alike(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="'0123': no record of that key"):
        ganbench.reproduce("0123", out=tmp_path / "out", runs=tmp_path, boards=tmp_path)


def test_the_rows_other_seeds(prepared: Callable[..., Reproduction], record: Record, tmp_path: Path) -> None:
    def sealed(**updates: Any) -> Record:
        found = changed(record, **updates)
        found.write(tmp_path / "runs" / found.key / "record.json")
        return found

    beside = sealed(seed=2, repetition=1)
    failed = sealed(seed=3, repetition=2, status=Status.FAILED, reason="it broke", metrics={})
    sealed(seed=4, about={"source": OTHER})
    sealed(seed=5, about={"label": "vae[beta=2.0]"})
    sealed(seed=6, track={"dataset_sha256": OTHER})
    sealed(seed=7, precision="bf16")
    published = changed(record, seed=8, repetition=3)
    folder = tmp_path / "boards" / record.track.protocol.name / "records"
    published.write(folder / f"{published.key}.json")
    beside.model_copy(update={"steps": 99}).write(folder / f"{beside.key}.json")
    (folder / "damaged.json").write_text("{}")
    assert prepared(record).row == [record, *sorted([beside, failed], key=lambda each: each.key), published]
    alone = folder / f"{record.key}.json"
    record.write(alone)
    found = prepare(Request(str(alone), out=tmp_path / "out", boards=tmp_path / "boards"), discover())
    assert {each.seed for each in found.row} == {record.seed, 2, 8}
    assert reproduction.compare(record, alone, record, alone, found.row).metrics[0].n == 3
