"""A run's samples in its folder: the labels that they were made for are known from its seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ganbench.data.dataset import Dataset, sample_labels
from ganbench.errors import RequestError
from ganbench.registry.registry import Registry
from ganbench.scoring.baselines import baseline_spec, draw_baseline
from ganbench.scoring.external.evaluate import Request, score
from ganbench.store.layout import RUN
from ganbench.store.run_record import RunStatus, ended
from ganbench.store.run_spec import RunSpec
from ganbench.store.samples import write_samples
from ganbench.store.seeds import derive


def write_run(folder: Path, spec: RunSpec, samples: np.ndarray) -> Path:
    record = ended(spec, RunStatus.OK, samples=write_samples(folder, "final", samples))
    record.write(folder / RUN)
    return folder


@pytest.fixture
def conditional(digits: Dataset) -> RunSpec:
    """What a conditional model's run would say of itself."""
    spec = baseline_spec("replay", digits, 200)
    return spec.model_copy(update={"model_info": spec.model_info.model_copy(update={"role": "model"}), "seed": 11})


def request(folder: Path, **options: object) -> Request:
    return Request(folder, device="cpu", metrics="fid", **options)  # type: ignore[arg-type]


def labels_sha256(labels: np.ndarray) -> str:
    return hashlib.sha256(labels.astype("<i8").tobytes()).hexdigest()


def test_labels_of_a_conditional_model_follow_from_its_seed(
    tmp_path: Path, digits: Dataset, conditional: RunSpec, registry: Registry
) -> None:
    run = write_run(tmp_path / "run", conditional, digits.validation.images[:200])
    wanted = sample_labels(digits.train.labels, 200, derive(11, "labels"))
    found = score(request(run), registry).content["samples"]
    assert (found["n"], found["labels_sha256"]) == (200, labels_sha256(wanted))
    part = score(request(run, n=50), registry).content["samples"]
    assert (part["n"], part["labels_sha256"]) == (50, labels_sha256(wanted[:50]))


@pytest.mark.parametrize("against", ["test", "validation"])
def test_labels_of_a_baseline_are_those_it_was_drawn_with(
    tmp_path: Path, digits: Dataset, registry: Registry, against: str
) -> None:
    drawn = draw_baseline("real", digits, 200, against=against)
    run = write_run(tmp_path / "run", baseline_spec("real", digits, 200, against=against), drawn.samples)
    found = score(request(run, against=against), registry).content["samples"]
    assert drawn.labels is not None
    assert found["labels_sha256"] == labels_sha256(drawn.labels)


def test_labels_are_not_guessed_from_another_data_set(
    tmp_path: Path, digits: Dataset, conditional: RunSpec, registry: Registry
) -> None:
    training = conditional.training.model_copy(update={"train_sha256": "0" * 64})
    spec = conditional.model_copy(update={"training": training})
    run = write_run(tmp_path / "run", spec, digits.validation.images[:200])
    with pytest.raises(RequestError, match="was trained on other images than digits holds here"):
        score(request(run), registry)
    # Where the reference has no classes, nobody asks for labels.
    report = score(request(run, reference=digits.test.images), registry)
    assert report.content["samples"]["labels_sha256"] is None


def test_a_run_without_samples_says_how_it_ended(tmp_path: Path, conditional: RunSpec, registry: Registry) -> None:
    (tmp_path / "run").mkdir()
    ended(conditional, RunStatus.DIVERGED, "loss is NaN").write(tmp_path / "run" / RUN)
    with pytest.raises(RequestError, match="has no samples: it ended as diverged: loss is NaN"):
        score(request(tmp_path / "run"), registry)
