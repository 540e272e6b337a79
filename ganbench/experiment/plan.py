"""From a request to its trials: every name resolved, every value checked, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ganbench.budget import Budget
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.extractors.classifier_file import NAME as DOMAIN
from ganbench.extractors.classifier_file import by_file
from ganbench.metric import Metric
from ganbench.model import BATCH_SIZE, Model
from ganbench.registry.import_path import address, load_file, source_hash
from ganbench.registry.registry import Origin, Registered, Registry
from ganbench.store.run_record import ModelInfo, TrackInfo
from ganbench.store.run_spec import Trial
from ganbench.store.seeds import derive
from ganbench.tracks.track import Track, read_track
from ganbench.training.hyperparameters import config_values, label_of, make_config, split_plugins, split_settings

BASELINES = ("real", "noise", "replay")
"""Every board carries them."""


def find_track(name: str, registry: Registry) -> Track:
    """Return a registered track, or the one in a ``.toml`` file."""
    if name.endswith(".toml"):
        return read_track(Path(name))
    return registry.get("tracks", name).thing  # type: ignore[no-any-return]


def with_extractor(track: Track, asked: str | None, weights: Path | None) -> tuple[Track, Path | None]:
    """Read ``--extractor``, a name or a file of ``ganbench extractor train``, and ``--weights``."""
    extractor, weights = by_file(asked, weights)
    if weights is not None and not weights.is_file():
        raise RequestError(f"--weights {weights}: there is no such file")
    if extractor is None or extractor == track.extractor:
        return track, weights
    return track.with_extractor(extractor, weights.stem if extractor == DOMAIN and weights else extractor), weights


def find_metrics(names: Iterable[str], registry: Registry) -> list[Metric]:
    """Return registered metrics by their names."""
    return [registry.get("metrics", name).thing for name in names]


def with_metrics(track: Track, asked: str | None, registry: Registry) -> Track:
    """Read ``--metrics``: names, of which ``standard`` stands for the track's own and ``all`` for all there are."""
    if asked is None:
        return track
    names = dict[str, None]()
    for name in (part.strip() for part in asked.split(",")):
        if name == "standard":
            names |= dict.fromkeys(track.metrics)
        elif name == "all":
            names |= dict.fromkeys(entry.name for entry in registry.all("metrics"))
        else:
            names[registry.get("metrics", name).name] = None
    if track.headline not in names:
        raise RequestError(f"--metrics {asked!r}: name {track.headline!r} too, or `standard`: boards are ranked by it")
    return track.with_metrics(tuple(names))


def load_dataset(name: str, registry: Registry, data_dir: Path | None) -> Dataset:
    """Load a data set and check its content against the hash it is known by."""
    source = registry.get("datasets", name).thing
    dataset: Dataset = source.load(data_dir)
    if source.sha256 and dataset.sha256 != source.sha256:
        raise RequestError(
            f"data set {name!r}: its content has the hash {dataset.sha256[:12]}, not {source.sha256[:12]}: damaged"
        )
    return dataset


def identify(track: Track, registry: Registry, data_dir: Path | None, weights: Path | None) -> TrackInfo:
    """Name the content that the track names: data set and extractor by their hashes."""
    dataset = load_dataset(track.dataset, registry, data_dir)
    for what, wanted, split in (
        ("samples", track.samples, dataset.validation),
        ("curve_samples", track.curve_samples, dataset.test),
    ):
        if wanted > len(split):
            raise RequestError(
                f"track {track.name!r}: {what} = {wanted}, but {track.dataset} has {len(split)} images for it"
            )
    source = registry.get("extractors", track.extractor).thing
    source.check(track.dataset, dataset.shape)
    extractor = source.identity(weights)
    facts = tuple(metric.info for metric in find_metrics(track.metrics, registry))
    info = TrackInfo(
        protocol=track, dataset_sha256=dataset.sha256, extractor_sha256=extractor, metrics=facts,
        fingerprint=track.fingerprint(dataset.sha256, extractor, facts),
    )  # fmt: skip
    if info.headline.direction != "lower":
        raise RequestError(f"track {track.name!r}: headline {track.headline!r}: name a metric of which less is better")
    return info


def repetitions(seeds: str | int | None, track: Track) -> list[int]:
    """Read ``--seeds``: a count (``5`` is 0 to 4) or a range (``100-102``); None is the track's count."""
    text = str(track.seeds if seeds is None else seeds).strip()
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise RequestError(f"--seeds {text!r}: write a count such as 3, or a range such as 100-102")
    found = list(range(int(first), int(last) + 1)) if dash else list(range(int(first)))
    if not found:
        raise RequestError(f"--seeds {text!r}: nothing would be trained: at least 1")
    return found


def plan(
    plugins: str | Sequence[str | type[Model]],
    info: TrackInfo,
    reps: list[int],
    registry: Registry,
    *,
    settings: tuple[str, ...] = (),
    baselines: bool = True,
    precision: str = "fp32",
) -> list[Trial]:
    """Return the trials of a request, all models at the first seed before any at the second.

    `plugins` is the text of ``--plugins`` (names, variants, files, or ``all``), or a list that may also hold classes.
    """
    chosen = [_choose(wanted, registry) for wanted in _wanted(plugins, registry)]
    given = split_settings(settings)
    for model_name, _, _ in given:
        if model_name not in {entry.name for entry, _ in chosen}:
            registry.get("models", model_name)
            raise RequestError(f"--set {model_name}.…: {model_name!r} is not among the models of this run")
    if baselines:
        present = {entry.name for entry, _ in chosen}
        chosen = [(registry.get("models", name), {}) for name in BASELINES if name not in present] + chosen
    variants: dict[str, Trial] = {}
    for entry, own in chosen:
        shared = {parameter: value for model_name, parameter, value in given if model_name == entry.name}
        trial = _trial(entry, make_config(entry.thing, shared | own), info)
        variants.setdefault(trial.about.label, trial)
    return [
        trial.model_copy(
            update={
                "repetition": rep,
                "seed": derive(info.protocol.name, trial.about.name, rep),
                "precision": precision,
            }
        )
        for rep in reps
        for trial in variants.values()
    ]


def _wanted(
    plugins: str | Sequence[str | type[Model]], registry: Registry
) -> list[tuple[str | type[Model], dict[str, str]]]:
    if not isinstance(plugins, str):
        parts: list[tuple[str | type[Model], dict[str, str]]] = []
        for item in plugins:
            parts += split_plugins(item) if isinstance(item, str) else [(item, {})]
        if not parts:
            raise RequestError("name at least one model")
        return parts
    if plugins.strip() == "all":
        return [(entry.name, {}) for entry in registry.all("models") if not lacking(entry.thing)]
    return list(split_plugins(plugins))


def left_out(plugins: str | Sequence[str | type[Model]], registry: Registry) -> list[str]:
    """Return a sentence for each model that ``all`` does not stand for, because something is not installed."""
    if not isinstance(plugins, str) or plugins.strip() != "all":
        return []
    return [f"left out {sentence}" for entry in registry.all("models") if (sentence := lacking(entry.thing))]


def lacking(model: type[Model]) -> str:
    """Say what a model needs that is not installed; nothing where it has all."""
    absent = [name for name in model.requires if find_spec(name) is None]
    return f"{model.name}: it needs {', '.join(absent)}: pip install {' '.join(absent)}" if absent else ""


def _choose(wanted: tuple[str | type[Model], dict[str, str]], registry: Registry) -> tuple[Registered, dict[str, str]]:
    spec, settings = wanted
    if isinstance(spec, type):
        known = {entry.thing: entry for entry in registry.all("models")}
        if spec not in known:
            if spec.__module__ == "__main__":
                raise RequestError(
                    f"class {spec.__qualname__}: put it into a file of its own: trials are other processes"
                )
            registry.take("models", spec, Origin(spec.__module__, "", spec.__qualname__))
            return registry.get("models", spec.name), settings
        return known[spec], settings
    if ".py:" in spec:
        return load_file(spec, registry), settings
    return registry.get("models", spec), settings


def _trial(entry: Registered, config: Any, info: TrackInfo) -> Trial:
    model: type[Model] = entry.thing
    if sentence := lacking(model):
        raise RequestError(f"model {sentence}")
    batch_size = getattr(config, "batch_size", BATCH_SIZE)
    if batch_size < 1:
        raise RequestError(f"model {model.name!r}: batch_size={batch_size}: at least 1")
    trained = model.step is not Model.step
    if trained and not Budget.parse(info.protocol.budget).admits(images=batch_size, steps=1, seconds=0.0):
        raise RequestError(
            f"budget {info.protocol.budget}: smaller than one batch of {model.name!r} ({batch_size} images)"
        )
    about = ModelInfo(
        name=model.name, label=label_of(model, config), family=model.family, role=model.role, version=model.version,
        source=source_hash(model), conditional=model.conditional, paper=model.paper, sampler=model.sampler(config),
        distribution=f"{entry.origin.distribution} {entry.origin.version}".strip(),
    )  # fmt: skip
    return Trial(
        about=about,
        address=address(model, entry.origin),
        config=config_values(config),
        track=info,
        repetition=0,
        seed=0,
    )
