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
from ganbench.reproduction.reproduce import Reproduction, Request, prepare
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.store import Store
from ganbench.util.atomic_io import sha256_of

from ..conftest import Smoke

OTHER = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def record(smoke: Smoke) -> RunRecord:
    store = Store(smoke.runs)
    found = [store.read(key) for key in store.keys()]
    return next(each for each in found if each and each.spec.model_info.name == "vae")


def changed(record: RunRecord, **updates: Any) -> RunRecord:
    """Return a record of which a part is another, and that is consistent with itself, as one made elsewhere is.

    Updates of `info`, `training` and `provenance` are of their parts, others of the spec or of the record.
    """
    spec = record.spec
    info = spec.model_info.model_copy(update=updates.pop("info", {}))
    training = spec.training.model_copy(update=updates.pop("training", {}))
    of_spec = {name: updates.pop(name) for name in list(updates) if name in type(spec).model_fields}
    spec = spec.model_copy(update={"model_info": info, "training": training, **of_spec})
    provenance = record.provenance | updates.pop("provenance", {})
    return record.model_copy(update={"spec": spec, "key": spec.key, "provenance": provenance, **updates})


@pytest.fixture
def prepared(tmp_path: Path, registry: Registry) -> Callable[..., Reproduction]:
    """Return a function that asks for the reproduction of a record which lies alone in a store."""

    def ask(record: RunRecord, known: Registry = registry, **options: Any) -> Reproduction:
        path = tmp_path / "runs" / record.key / "run.json"
        record.write(path)
        request = Request(str(path), **{"out": tmp_path / "out", "published": tmp_path / "boards", **options})
        return prepare(request, known)

    return ask


def test_the_run_is_the_records_own(prepared: Callable[..., Reproduction], record: RunRecord, tmp_path: Path) -> None:
    found = prepared(record)
    job = found.job
    assert job.spec.key == record.key
    assert (job.spec.seed, job.spec.config) == (record.spec.seed, record.spec.config)
    assert job.folder == tmp_path / "out" / record.key
    assert (job.runtime.device, job.runtime.threads) == ("cpu", record.provenance["threads"])
    assert (job.replaces, job.restart, found.notes) == (None, False, [])
    assert (job.samples, job.curve_points, job.curve_samples) == (200, len(record.curve), 100)


def test_it_is_trained_as_recorded_unless_asked_otherwise(
    prepared: Callable[..., Reproduction], record: RunRecord
) -> None:
    recorded = changed(record, provenance={"threads": 3, "deterministic": True})
    runtime = prepared(recorded).job.runtime
    assert (runtime.threads, runtime.deterministic) == (3, True)
    assert prepared(recorded, threads=2).job.runtime.threads == 2
    unknown = changed(record, provenance={"threads": "many", "deterministic": "yes"})
    runtime = prepared(unknown).job.runtime
    assert (runtime.threads >= 1, runtime.deterministic) == (True, False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_gpu_that_is_not_here_is_said(prepared: Callable[..., Reproduction], record: RunRecord) -> None:
    recorded = changed(record, provenance={"device": "NVIDIA H200", "cuda": "13.0"})
    found = prepared(recorded)
    assert found.job.runtime.device == "cpu"
    assert found.notes == ["it was recorded on NVIDIA H200, and there is none here: on cpu"]
    assert prepared(recorded, device="cpu").notes == []
    with pytest.raises(RequestError, match="this machine has no CUDA device"):
        prepared(recorded, device="cuda")


def test_what_an_earlier_one_left_is_replaced(
    prepared: Callable[..., Reproduction], record: RunRecord, tmp_path: Path
) -> None:
    path = tmp_path / "out" / record.key / "run.json"
    record.write(path)
    job = prepared(record).job
    assert job.restart
    assert job.replaces == sha256_of(path)
    path.write_text("{}")
    found = prepared(record)
    assert (found.job.replaces, path.exists()) == (None, False)
    assert "set aside as run-before-1.json" in found.notes[0]


LACKS: dict[str, tuple[Callable[[RunRecord], dict[str, Any]], str]] = {
    "model": (lambda r: {"info": {"name": "vaee", "distribution": "my-gans 1.2"}, "import_path": "my_gans:VAEE"},
              "model 'vaee' of my-gans 1.2 is not here (unknown model 'vaee' (did you mean 'vae'?))"),
    "version": (lambda r: {"info": {"version": "0"}}, "model 'vae' is version '1', recorded '0'"),
    "source": (lambda r: {"info": {"source": OTHER}}, "recorded 0123456789ab"),
    "unknown parameter": (lambda r: {"config": r.spec.config | {"depth": 3}}, "model 'vae' has no parameter 'depth'"),
    "parameter": (lambda r: {"config": r.spec.config | {"latent_dim": "wide"}}, "latent_dim='wide' is not of type int"),
    "default": (lambda r: {"config": {}}, "its hyper-parameters read otherwise here: "),
    "training images": (lambda r: {"training": {"train_sha256": OTHER}}, "training images of 'digits' have sha256 "),
    "no data set": (lambda r: {"training": {"dataset": "digitz"}},
                    "data set 'digitz' is not here (unknown data set 'digitz' (did you mean 'digits'?))"),
}  # fmt: skip


@pytest.mark.parametrize("lack", LACKS)
def test_each_lack_is_refused(
    prepared: Callable[..., Reproduction], record: RunRecord, tmp_path: Path, lack: str
) -> None:
    update, said = LACKS[lack]
    with pytest.raises(RequestError, match="cannot be reproduced") as refusal:
        prepared(changed(record, **update(record)))
    assert said in str(refusal.value)
    assert str(refusal.value).count(";") == 1, "only what differs is named"  # the other parts here from then
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_hashes_are_both_said(prepared: Callable[..., Reproduction], record: RunRecord) -> None:
    with pytest.raises(RequestError) as refusal:
        prepared(changed(record, info={"source": OTHER, "distribution": "ganbench 0.0.7"}))
    assert f"has source {record.spec.model_info.source[:12]}, recorded {OTHER[:12]}" in str(refusal.value)
    assert "(recorded with ganbench 0.0.7, ganbench " in str(refusal.value)
    assert f"here is ganbench {ganbench.__version__})" in str(refusal.value)


def test_a_record_that_contradicts_itself_is_refused(prepared: Callable[..., Reproduction], record: RunRecord) -> None:
    other = record.spec.model_copy(update={"seed": record.spec.seed + 1})
    with pytest.raises(RequestError, match="its key is not that of what it says was trained"):
        prepared(record.model_copy(update={"spec": other}))


def test_all_that_differs_is_in_one_line(prepared: Callable[..., Reproduction], record: RunRecord) -> None:
    everything = {
        "info": {"source": OTHER, "version": "0"}, "config": {"depth": 3}, "training": {"train_sha256": OTHER},
    }  # fmt: skip
    with pytest.raises(RequestError) as refusal:
        prepared(changed(record, **everything))
    for what in ("version '1'", "has source", "'depth'", "training images of 'digits'"):
        assert what in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_scores_that_cannot_be_compared_are_no_reason_not_to_train(
    smoke: Smoke, record: RunRecord, registry: Registry, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / record.key
    record.write(folder / "run.json")
    (score,) = Store(smoke.runs).scores(record.key).records
    infos = score.metric_info | {"recall": score.metric_info["recall"].model_copy(update={"version": 77})}
    score.model_copy(update={"metric_info": infos}).write(folder / "scores" / f"{score.key}.json")
    found = prepare(Request(str(folder), out=tmp_path / "out"), registry)
    assert found.plan is None
    assert found.notes == ["samples are compared, scores are not: metric 'recall' is version 1, recorded 77"]


def test_the_records_own_folder_is_not_trained_in(
    prepared: Callable[..., Reproduction], record: RunRecord, tmp_path: Path
) -> None:
    for options in ({"out": tmp_path / "runs"}, {"out": tmp_path / "x", "runs": tmp_path / "x"}):
        with pytest.raises(RequestError, match="is where records to be reproduced lie: name another folder"):
            prepared(record, **options)
    with pytest.raises(RequestError, match="--threads 0: at least 1"):
        prepared(record, threads=0)
    with pytest.raises(RequestError, match="there is no such file"):
        prepared(record, weights=tmp_path / "none.pth")


def test_a_file_is_run_only_where_it_was_named(
    prepared: Callable[..., Reproduction], record: RunRecord, tmp_path: Path
) -> None:
    path, marker = tmp_path / "sly.py", tmp_path / "executed"
    path.write_text(f"open({str(marker)!r}, 'w').close()\n")
    with pytest.raises(RequestError, match="name its present file with --plugin FILE.py:Class"):
        prepared(changed(record, info={"name": "sly"}, import_path=f"{path}:Sly"))
    assert not marker.exists()


def test_a_baseline_is_not_trained(smoke: Smoke, tmp_path: Path) -> None:
    store = Store(smoke.runs)
    key = next(key for key in store.keys() if store.read(key).spec.model_info.name == "real")  # type: ignore[union-attr]
    with pytest.raises(RequestError, match="real is a baseline, which is not trained"):
        prepare(Request(key, out=tmp_path / "out", runs=smoke.runs), discover())


def test_python_refuses_alike(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="'0123': no run of that key"):
        ganbench.reproduce("0123", out=tmp_path / "out", runs=tmp_path, published=tmp_path)


def test_the_rows_other_seeds(prepared: Callable[..., Reproduction], record: RunRecord, tmp_path: Path) -> None:
    def written(**updates: Any) -> RunRecord:
        found = changed(record, **updates)
        found.write(tmp_path / "runs" / found.key / "run.json")
        return found

    beside = written(seed=2, seed_index=1)
    failed = written(seed=3, seed_index=2, status=RunStatus.FAILED, reason="it broke", samples=None)
    written(seed=4, info={"source": OTHER})
    written(seed=5, info={"label": "vae[beta=2.0]"}, config={"beta": 2.0})
    written(seed=6, training={"train_sha256": OTHER})
    written(seed=7, training={"precision": "bf16"})
    row = [each.run for each in prepared(record).row]
    assert row == [record, *sorted([beside, failed], key=lambda each: each.key)]
