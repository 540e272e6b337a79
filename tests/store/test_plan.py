"""From a request to its trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.experiment.plan import (
    BASELINES,
    find_track,
    identify,
    lacking,
    left_out,
    plan,
    repetitions,
    with_extractor,
)  # fmt: skip
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Origin, Registry
from ganbench.store.run_record import TrackInfo
from ganbench.tracks.track import read_track
from ganbench_plugins.vae import VAE


@pytest.fixture(scope="module")
def info(registry: Registry) -> TrackInfo:
    return identify(find_track("digits-smoke", registry), registry, None, None)


def labels(plugins: str, info: TrackInfo, registry: Registry, **options) -> list[str]:
    return [trial.about.label for trial in plan(plugins, info, [0], registry, **options)]


def test_every_board_carries_the_baselines_once(info: TrackInfo, registry: Registry) -> None:
    assert labels("vae", info, registry) == [*BASELINES, "vae"]
    assert sorted(labels("noise,vae", info, registry)) == sorted([*BASELINES, "vae"])
    assert labels("vae", info, registry, baselines=False) == ["vae"]
    able = {entry.name for entry in registry.all("models") if not lacking(entry.thing)}
    assert set(labels("all", info, registry)) == able > {"vae", *BASELINES}


class Lacking(VAE):
    name, requires = "lacking", ("torch", "no_such_module")


def test_what_needs_more_than_is_installed_is_left_out_of_all_and_refused_by_name(info: TrackInfo) -> None:
    registry = discover()
    registry.take("models", Lacking, Origin("somebody", "1", ""))
    sentence = "lacking: it needs no_such_module: pip install no_such_module"
    assert "lacking" not in labels("all", info, registry)
    assert f"left out {sentence}" in left_out("all", registry)
    assert left_out("vae", registry) == []
    with pytest.raises(RequestError, match=f"^model {sentence}$"):
        labels("lacking", info, registry)


def test_a_trial_says_what_its_samples_are_decoded_from(info: TrackInfo, registry: Registry) -> None:
    trials = plan("dcgan,dcgan[ema=0]", info, [0], registry)
    assert {trial.about.label: trial.about.sampler for trial in trials if trial.about.name == "dcgan"} == {
        "dcgan": "N(0, I), averaged weights", "dcgan[ema=0.0]": "N(0, I)",
    }  # fmt: skip
    assert {trial.about.sampler for trial in trials if trial.about.role != "model"} == {""}


def test_variants_are_rows_of_their_own_and_repeats_are_not(info: TrackInfo, registry: Registry) -> None:
    assert labels("vae,vae[latent_dim=7],vae[beta=2],vae,vae[latent_dim=7]", info, registry, baselines=False) == [
        "vae", "vae[latent_dim=7]", "vae[beta=2.0]",
    ]  # fmt: skip


def test_set_is_for_every_variant_and_a_variants_own_word_counts_more(info: TrackInfo, registry: Registry) -> None:
    trials = plan(
        "vae,vae[latent_dim=7]", info, [0], registry, settings=("vae.latent_dim=9", "vae.beta=2"), baselines=False
    )
    assert [(trial.config["latent_dim"], trial.config["beta"]) for trial in trials] == [(9, 2.0), (7, 2.0)]


def test_all_models_come_at_the_first_seed_before_any_at_the_second(info: TrackInfo, registry: Registry) -> None:
    trials = plan("vae,vanilla", info, [3, 4], registry, baselines=False)
    assert [(trial.about.name, trial.repetition) for trial in trials] == [
        ("vae", 3),
        ("vanilla", 3),
        ("vae", 4),
        ("vanilla", 4),
    ]
    assert len({trial.seed for trial in trials}) == 4


@pytest.mark.parametrize(
    ("seeds", "found"),
    [(None, [0, 1]), (3, [0, 1, 2]), ("1", [0]), (" 2 ", [0, 1]), ("100-102", [100, 101, 102]), ("7-7", [7])],
)
def test_seeds_are_a_count_or_a_range(registry: Registry, seeds: str | int | None, found: list[int]) -> None:
    assert repetitions(seeds, find_track("digits-smoke", registry)) == found


@pytest.mark.parametrize("seeds", [0, "0", "-1", "5-3", "three", "1.5", "", "1-", "²"])
def test_malformed_seeds_are_explained(registry: Registry, seeds: str | int) -> None:
    with pytest.raises(RequestError, match="^--seeds "):
        repetitions(seeds, find_track("digits-smoke", registry))


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
    info: TrackInfo, registry: Registry, plugins: str, settings: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        plan(plugins, info, [0], registry, settings=settings)
    assert said in str(refusal.value)


def test_another_budget_or_extractor_is_another_track(registry: Registry) -> None:
    track = find_track("digits-smoke", registry)
    assert track.with_budget(None) is track.with_budget("2000img") is track
    assert track.with_budget("5m,10steps").name == "digits-smoke+10steps+300s"
    assert track.with_budget("5m,10steps").budget == "10steps,300s"
    assert with_extractor(track, None, None)[0] is with_extractor(track, "lenet-mnist", None)[0] is track
    assert with_extractor(track, "vgg16", None)[0].name == "digits-smoke+vgg16"


def test_a_file_names_the_track_that_it_judges(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "my net.safetensors"
    file.touch()
    track, weights = with_extractor(find_track("digits-smoke", registry), str(file), None)
    assert (track.name, track.extractor, weights) == ("digits-smoke+my-net", "domain", file)


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
        identify(read_track(path), registry, None, None)


def test_what_tracks_name_is_registered(registry: Registry) -> None:
    for entry in registry.all("tracks"):
        for kind, name in (("datasets", entry.thing.dataset), ("extractors", entry.thing.extractor)):
            assert registry.get(kind, name).origin.distribution == "ganbench"


def test_the_order_of_a_request_does_not_count(info: TrackInfo, registry: Registry) -> None:
    one = plan("vae,vanilla", info, [0, 1], registry)
    other = plan("vanilla,vae", info, [1, 0], registry)
    assert [trial.key for trial in one] != [trial.key for trial in other]
    assert {trial.key for trial in one} == {trial.key for trial in other}
    assert len({trial.key for trial in one}) == len(one) == 10
