"""A trial's key: what decides the result, and nothing else."""

from __future__ import annotations

import pytest

from ganbench.experiment.plan import find_track, identify, plan
from ganbench.registry.registry import Registry
from ganbench.store.run_record import TrackInfo
from ganbench.store.run_spec import Trial
from ganbench.tracks.track import Track
from ganbench.training.seeds import derive


@pytest.fixture(scope="module")
def info(registry: Registry) -> TrackInfo:
    return identify(find_track("digits-smoke", registry), registry, None, None)


@pytest.fixture(scope="module")
def trial(info: TrackInfo, registry: Registry) -> Trial:
    return plan("vae", info, [0], registry, baselines=False)[0]


@pytest.mark.parametrize("part", ["label", "family", "role", "conditional", "paper", "distribution"])
def test_how_a_model_is_presented_does_not_count(trial: Trial, part: str) -> None:
    other = trial.model_copy(update={"about": trial.about.model_copy(update={part: "another"})})
    assert other.key == trial.key


@pytest.mark.parametrize("part", ["name", "version", "source"])
def test_what_a_model_is_counts(trial: Trial, part: str) -> None:
    other = trial.model_copy(update={"about": trial.about.model_copy(update={part: "another"})})
    assert other.key != trial.key


def test_hyper_parameters_count_and_their_order_does_not(trial: Trial) -> None:
    assert trial.model_copy(update={"config": dict(reversed(trial.config.items()))}).key == trial.key
    for name in trial.config:
        assert trial.model_copy(update={"config": trial.config | {name: 77}}).key != trial.key, name


def test_the_seed_counts_and_where_the_class_lies_does_not(trial: Trial) -> None:
    assert trial.model_copy(update={"address": "/elsewhere/vae.py:VAE"}).key == trial.key
    assert trial.model_copy(update={"repetition": 5}).key == trial.key
    assert trial.model_copy(update={"seed": trial.seed + 1}).key != trial.key


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"summary": "other words"}, False), ({"seeds": 9}, False), ({"version": 2}, True), ({"budget": "3kimg"}, True),
        ({"samples": 100}, True), ({"curve_points": 2}, True), ({"curve_samples": 50}, True),
        ({"classifier_steps": 9}, True), ({"classifier_seeds": 9}, True),
        ({"name": "another"}, True), ({"dataset": "mnist"}, True), ({"extractor": "lenet-fashion-mnist"}, True),
    ],
)  # fmt: skip
def test_what_of_a_track_counts(info: TrackInfo, change: dict[str, object], counts: bool) -> None:
    changed = Track(**(info.protocol.model_dump() | change))
    fingerprint = changed.fingerprint(info.dataset_sha256, info.extractor_sha256, info.metrics)
    assert (fingerprint != info.fingerprint) is counts


def test_the_content_that_a_track_names_counts(info: TrackInfo, trial: Trial) -> None:
    newer = [info.metrics[0].model_copy(update={"version": 2}), *info.metrics[1:]]
    contents = (info.dataset_sha256, info.extractor_sha256, info.metrics)
    assert info.protocol.fingerprint(*contents) == info.fingerprint
    for other in (("0" * 64, *contents[1:]), (contents[0], "0" * 64, contents[2]), (*contents[:2], newer)):
        assert info.protocol.fingerprint(*other) != info.fingerprint
    other = trial.model_copy(update={"track": info.model_copy(update={"fingerprint": "0" * 64})})
    assert other.key != trial.key


def test_the_order_of_a_request_does_not_count(info: TrackInfo, registry: Registry) -> None:
    one = plan("vae,vanilla", info, [0, 1], registry)
    other = plan("vanilla,vae", info, [1, 0], registry)
    assert [trial.key for trial in one] != [trial.key for trial in other]
    assert {trial.key for trial in one} == {trial.key for trial in other}
    assert len({trial.key for trial in one}) == len(one) == 10


def test_seeds_are_hashes_of_names() -> None:
    assert derive("track", "model", 0) == derive("track", "model", 0)
    names = [
        ("track", "model", 0),
        ("track", "model", 1),
        ("track", "mode", "l0"),
        ("trackmodel", 0),
        ("model", "track", 0),
    ]
    seeds = {derive(*name) for name in names}
    assert len(seeds) == len(names)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_trial_survives_its_file(trial: Trial) -> None:
    assert Trial.model_validate_json(trial.model_dump_json()) == trial
