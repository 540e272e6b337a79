"""From a request to its runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.experiment.plan import lacking, left_out, many_seeds, plan, seed_indices
from ganbench.experiment.protocols import Protocols, resolve
from ganbench.registry.builtins import discover
from ganbench.registry.entry_points import Origin
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.scoring.baselines import BASELINES
from ganbench.store.run_spec import RunSpec, TrainingProtocol
from ganbench.store.seeds import run_seed
from ganbench.tracks.track import read_track
from ganbench_plugins.vae import VAE


@pytest.fixture(scope="module")
def protocols(registry: Registry) -> Protocols:
    return resolve(find_track("digits-smoke", registry), registry)


@pytest.fixture(scope="module")
def training(protocols: Protocols) -> TrainingProtocol:
    return protocols.training


def labels(plugins: str, training: TrainingProtocol, registry: Registry, **options) -> list[str]:
    return [spec.model_info.label for spec in plan(plugins, training, [0], registry, **options)]


def test_all_stands_for_every_model_that_can_run_and_for_no_baseline(
    training: TrainingProtocol, registry: Registry
) -> None:
    able = {entry.name for entry in registry.all("models") if not lacking(entry.thing)}
    assert set(labels("all", training, registry)) == able > {"vae", "dcgan"}
    assert not able & set(BASELINES)
    with pytest.raises(RequestError, match="unknown model 'real'"):
        labels("real", training, registry)


class Lacking(VAE):
    name, requires = "lacking", ("torch", "no_such_module")


def test_what_needs_more_than_is_installed_is_left_out_of_all_and_refused_by_name(
    training: TrainingProtocol,
) -> None:
    registry = discover()
    registry.take("models", Lacking, Origin("somebody", "1", ""))
    sentence = "lacking: it needs no_such_module: pip install no_such_module"
    assert "lacking" not in labels("all", training, registry)
    assert f"left out {sentence}" in left_out("all", registry)
    assert left_out("vae", registry) == []
    with pytest.raises(RequestError, match=f"^model {sentence}$"):
        labels("lacking", training, registry)


def test_a_run_says_what_its_samples_are_decoded_from(training: TrainingProtocol, registry: Registry) -> None:
    specs = plan("dcgan,dcgan[ema=0]", training, [0], registry)
    assert {spec.model_info.label: spec.model_info.sampler for spec in specs} == {
        "dcgan": "N(0, I), averaged weights", "dcgan[ema=0.0]": "N(0, I)",
    }  # fmt: skip


def test_variants_are_rows_of_their_own_and_repeats_are_not(training: TrainingProtocol, registry: Registry) -> None:
    assert labels("vae,vae[latent_dim=7],vae[beta=2],vae,vae[latent_dim=7]", training, registry) == [
        "vae", "vae[latent_dim=7]", "vae[beta=2.0]",
    ]  # fmt: skip


def test_set_is_for_every_variant_and_a_variants_own_word_counts_more(
    training: TrainingProtocol, registry: Registry
) -> None:
    specs = plan("vae,vae[latent_dim=7]", training, [0], registry, settings=("vae.latent_dim=9", "vae.beta=2"))
    assert [(spec.config["latent_dim"], spec.config["beta"]) for spec in specs] == [(9, 2.0), (7, 2.0)]


def test_all_models_come_at_the_first_seed_before_any_at_the_second(
    training: TrainingProtocol, registry: Registry
) -> None:
    specs = plan("vae,vanilla", training, [3, 4], registry)
    assert [(spec.model_info.name, spec.seed_index) for spec in specs] == [
        ("vae", 3),
        ("vanilla", 3),
        ("vae", 4),
        ("vanilla", 4),
    ]


@pytest.mark.parametrize(
    ("seeds", "found"),
    [(None, [0, 1]), (3, [0, 1, 2]), ("1", [0]), (" 2 ", [0, 1]), ("100-102", [100, 101, 102]), ("7-7", [7])],
)
def test_seeds_are_a_count_or_a_range(registry: Registry, seeds: str | int | None, found: list[int]) -> None:
    assert seed_indices(seeds, find_track("digits-smoke", registry)) == found


@pytest.mark.parametrize("seeds", [0, "0", "-1", "5-3", "three", "1.5", "", "1-", "²", "9" * 30, 10**8, "0-1000"])
def test_malformed_seeds_are_explained(registry: Registry, seeds: str | int) -> None:
    with pytest.raises(RequestError, match="^--seeds "):
        seed_indices(seeds, find_track("digits-smoke", registry))


@pytest.mark.parametrize(
    ("plugins", "settings", "said"),
    [
        ("vea", (), "unknown model 'vea' (did you mean 'vae'?)"),
        ("vae[laten_dim=3]", (), "has no parameter 'laten_dim' (did you mean 'latent_dim'?)"),
        ("vae", ("vae.latentdim=3",), "did you mean 'latent_dim'?"),
        ("vae", ("vea.beta=3",), "unknown model 'vea'"),
        ("vae", ("dcgan.lr=3",), "'dcgan' is not among the models of this run"),
        ("vae", ("vae.beta=high",), "is not of type float"),
        ("vae[batch_size=0]", (), "at least 1"),
        ("vae[batch_size=9000]", (), "smaller than one batch of 'vae' (9000 images)"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_trained(
    training: TrainingProtocol, registry: Registry, plugins: str, settings: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        plan(plugins, training, [0], registry, settings=settings)
    assert said in str(refusal.value)


def test_another_budget_or_precision_is_another_track(registry: Registry) -> None:
    track = find_track("digits-smoke", registry)
    assert track.with_budget(None) is track.with_budget("2000img") is track.with_precision("fp32") is track
    assert track.with_budget("5m,10steps").name == "digits-smoke+10steps+300s"
    assert track.with_budget("5m,10steps").budget == "10steps,300s"
    assert track.with_precision("bf16").name == "digits-smoke+bf16"


def test_metrics_and_extractors_are_asked_for_beside_the_tracks_own(registry: Registry, protocols: Protocols) -> None:
    track = find_track("digits-smoke", registry)
    more = resolve(track, registry, metrics="fid,vendi,cas", extractors="lenet-fashion-mnist,lenet-mnist")
    assert more.training == protocols.training
    assert more.scoring == protocols.scoring
    assert [metric.name for metric in more.plans[0].metrics] == [*track.metrics, "vendi"]
    (other,) = more.plans[1:]  # the track's own is no other
    assert other.protocol.extractor == "lenet-fashion-mnist"
    assert other.protocol.key != more.scoring.key
    assert [metric.name for metric in other.metrics] == ["fid", "vendi"]  # cas has nothing to do with it
    against = resolve(track, registry, against="validation")
    assert against.training == protocols.training
    assert against.scoring.key != protocols.scoring.key


def key(spec: RunSpec, **changes: object) -> str:
    return spec.model_copy(update=changes).key


def test_a_key_is_made_of_what_decides_and_of_nothing_else(training: TrainingProtocol, registry: Registry) -> None:
    (spec,) = plan("vae", training, [0], registry)
    info = spec.model_info
    for changes in (
        {"import_path": "elsewhere:VAE"},
        {"training": training.model_copy(update={"dataset": "other-name", "n": 1})},
        {"model_info": info.model_copy(update={"label": "other", "family": "other", "paper": "", "sampler": "x"})},
    ):
        assert key(spec, **changes) == spec.key
    for changes in (
        {"seed": 1},
        {"config": {**spec.config, "beta": 2.0}},
        {"training": training.model_copy(update={"train_sha256": "0" * 64})},
        {"training": training.model_copy(update={"budget": "1steps"})},
        {"training": training.model_copy(update={"precision": "bf16"})},
        {"training": training.model_copy(update={"device": "cpu"})},
        {"model_info": info.model_copy(update={"source": "0" * 64})},
        {"model_info": info.model_copy(update={"version": "99"})},
        {"model_info": info.model_copy(update={"name": "other"})},
    ):
        assert key(spec, **changes) != spec.key


def test_a_seed_is_the_same_for_every_model(training: TrainingProtocol, registry: Registry) -> None:
    specs = plan("vae,dcgan", training, [0, 1], registry)
    assert [spec.seed for spec in specs] == [run_seed(training.train_sha256, index) for index in (0, 0, 1, 1)]
    assert len({spec.seed for spec in specs}) == 2


def test_the_kind_of_device_counts_where_the_budget_is_time(registry: Registry) -> None:
    track = find_track("digits-smoke", registry)
    assert resolve(track, registry, device_kind="NVIDIA X").training.device == ""
    assert resolve(track.with_budget("9s"), registry, device_kind="NVIDIA X").training.device == "NVIDIA X"


TRACK = """
name = "mine"
version = 1
summary = "s"
dataset = "digits"
budget = "2kimg"
seeds = 2
samples = 200
curve_points = 3
curve_samples = 100
extractor = "lenet-mnist"
classifier_steps = 40
"""


def test_a_track_can_be_a_file(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TRACK)
    assert find_track(str(path), registry).samples == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"), (b"name = ", "TOML"), (b"\xff\xfe", "mine.toml"),
        (TRACK.replace("2kimg", "2parsecs").encode(), "'2parsecs'"), (TRACK.replace("200", "2").encode(), "samples"),
        (TRACK.replace("samples", "sampels").encode(), "sampels"),
        (TRACK.replace('"mine"', '"../mine"').encode(), "name"),
    ],
)  # fmt: skip
def test_a_wrong_track_file_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError) as refusal:
        read_track(path)
    assert str(path) in str(refusal.value)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_more_samples_than_real_images_are_refused(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TRACK.replace("samples = 200", "samples = 301", 1))
    with pytest.raises(RequestError, match="samples = 301, but digits has 300"):
        resolve(read_track(path), registry)


def test_what_tracks_name_is_registered(registry: Registry) -> None:
    for entry in registry.all("tracks"):
        for kind, name in (("datasets", entry.thing.dataset), ("extractors", entry.thing.extractor)):
            assert registry.get(kind, name).origin.distribution == "ganbench"


def test_the_order_of_a_request_does_not_count(training: TrainingProtocol, registry: Registry) -> None:
    one = plan("vae,vanilla", training, [0, 1], registry)
    other = plan("vanilla,vae", training, [1, 0], registry)
    assert [spec.key for spec in one] != [spec.key for spec in other]
    assert {spec.key for spec in one} == {spec.key for spec in other}
    assert len({spec.key for spec in one}) == len(one) == 4


def test_a_count_that_may_have_been_meant_as_one_seed_is_explained() -> None:
    assert many_seeds("100") == ["--seeds 100: 100 seeds, 0 to 99; the seed 100 alone is 100-100"]
    assert many_seeds("5") == many_seeds("100-102") == many_seeds(None) == []
