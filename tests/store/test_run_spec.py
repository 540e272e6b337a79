"""A run's key: what decides the result, and nothing else; and its seed."""

from __future__ import annotations

from typing import Any

import pytest

from ganbench.store import run_spec
from ganbench.store.run_spec import RunSpec
from ganbench.store.seeds import derive, run_seed

from .factory import spec

ASKED = spec("tiny", config={"batch_size": 64, "lr": 1e-3})


def changed(part: str, **update: Any) -> RunSpec:
    return ASKED.model_copy(update={part: getattr(ASKED, part).model_copy(update=update)})


@pytest.mark.parametrize(
    "part", ["label", "family", "conditional", "paper", "distribution", "sampler", "log_likelihood"]
)
def test_how_a_model_is_presented_does_not_count(part: str) -> None:
    assert changed("model_info", **{part: "another"}).key == ASKED.key


@pytest.mark.parametrize("part", ["name", "version", "source", "role"])
def test_what_a_model_is_counts(part: str) -> None:
    assert changed("model_info", **{part: "another"}).key != ASKED.key


def test_hyper_parameters_count_and_their_order_does_not() -> None:
    assert ASKED.model_copy(update={"config": dict(reversed(ASKED.config.items()))}).key == ASKED.key
    for name in ASKED.config:
        assert ASKED.model_copy(update={"config": ASKED.config | {name: 77}}).key != ASKED.key, name


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"dataset": "of another name"}, False), ({"n": 9}, False), ({"classes": 2}, False),
        ({"shape": (1, 9, 9)}, False),
        ({"train_sha256": "0" * 64}, True), ({"budget": "3kimg"}, True), ({"precision": "bf16"}, True),
        ({"device": "cpu"}, True),
    ],
)  # fmt: skip
def test_the_content_of_the_training_protocol_counts_and_not_its_names(change: dict[str, Any], counts: bool) -> None:
    assert (changed("training", **change).key != ASKED.key) is counts


def test_the_seed_counts_and_where_the_class_lies_does_not() -> None:
    assert ASKED.model_copy(update={"import_path": "/elsewhere/tiny.py:Tiny"}).key == ASKED.key
    assert ASKED.model_copy(update={"seed_index": 5}).key == ASKED.key
    assert ASKED.model_copy(update={"seed": ASKED.seed + 1}).key != ASKED.key


def test_another_training_loop_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ASKED.key
    monkeypatch.setattr(run_spec, "TRAINING_VERSION", run_spec.TRAINING_VERSION + 1)
    assert ASKED.key != before


def test_a_seed_is_of_the_data_and_the_repetition_and_of_no_model() -> None:
    assert spec("tiny", 3).seed == spec("another[x=1]", 3, budget="2steps").seed == run_seed("d" * 64, 3)
    assert len({run_seed("d" * 64, at) for at in range(100)} | {run_seed("e" * 64, 0)}) == 101


def test_seeds_are_hashes_of_names() -> None:
    assert derive("track", "model", 0) == derive("track", "model", 0)
    names = [("data", "x", 0), ("data", "x", 1), ("data", "", "x0"), ("datax", 0), ("x", "data", 0)]
    seeds = {derive(*name) for name in names}
    assert len(seeds) == len(names)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_spec_survives_its_file() -> None:
    assert RunSpec.model_validate_json(ASKED.model_dump_json()) == ASKED
