"""From a request to its runs: every name resolved, every value checked, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ganbench.budget import Budget
from ganbench.errors import RequestError
from ganbench.experiment.settings_file import Settings
from ganbench.model import BATCH_SIZE, Model
from ganbench.registry.entry_points import Origin
from ganbench.registry.import_path import import_path, load_file
from ganbench.registry.registry import Registered, Registry
from ganbench.registry.source_hash import source_hash
from ganbench.store.run_spec import ModelInfo, RunSpec, TrainingProtocol, Tuning
from ganbench.store.seeds import run_seed
from ganbench.tracks.track import Track
from ganbench.training.hyperparameters import config_values, label_of, make_config, split_plugins, split_settings

MOST_SEEDS = 1000
"""More in one request are taken for a mistake."""
MANY_SEEDS = 50
"""From so many on a request says how it was read."""


def seed_indices(seeds: str | int | None, track: Track) -> list[int]:
    """Read ``--seeds``: a count (``5`` is 0 to 4) or a range (``100-102``); None is the track's count."""
    text = str(track.seeds if seeds is None else seeds).strip()
    first, dash, last = text.partition("-")
    if not _is_number(first) or (dash and not _is_number(last)):
        raise RequestError(f"--seeds {text[:40]!r}: write a count such as 3, or a range such as 100-102")
    start, end = (int(first), int(last) + 1) if dash else (0, int(first))
    if end <= start:
        raise RequestError(f"--seeds {text!r}: nothing would be trained: at least 1")
    if end - start > MOST_SEEDS:
        raise RequestError(f"--seeds {text!r}: more than {MOST_SEEDS:,} seeds; for that one write {first}-{first}")
    return list(range(start, end))


def many_seeds(seeds: str | int | None) -> list[str]:
    """Return a sentence where a count of seeds may have been meant as the number of one."""
    text = str(seeds or "").strip()
    if not _is_number(text) or int(text) < MANY_SEEDS:
        return []
    return [f"--seeds {text}: {int(text)} seeds, 0 to {int(text) - 1}; the seed {text} alone is {text}-{text}"]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def plan(
    plugins: str | Sequence[str | type[Model]],
    training: TrainingProtocol,
    indices: list[int],
    registry: Registry,
    *,
    settings: tuple[str, ...] = (),
    found: Settings | None = None,
) -> list[RunSpec]:
    """Return the runs of a request, all models at the first seed before any at the second.

    `plugins` is the text of ``--plugins`` (names, variants, files, or ``all``), or a list that may also hold classes.
    `settings` is ``--set``; `found`, ``--settings``, stands in for defaults.
    """
    variants: dict[str, RunSpec] = {}
    for variant in choose(plugins, registry, settings):
        config, tuning = variant.config(found)
        spec = _spec(variant.entry, config, training).model_copy(update={"tuning": tuning})
        variants.setdefault(spec.model_info.label, spec)
    return [
        spec.model_copy(update={"seed_index": index, "seed": run_seed(training.train_sha256, index)})
        for index in indices
        for spec in variants.values()
    ]


@dataclass(frozen=True)
class Variant:
    """A model that was asked for, and what ``--set`` and brackets give: text or values by hyper-parameter."""

    entry: Registered
    plugin: str
    given: dict[str, Any]

    def config(self, found: Settings | None) -> tuple[Any, Tuning | None]:
        """Return its `Config`, and how its values were found where they are those of `found` alone."""
        model: type[Model] = self.entry.thing
        config = make_config(model, self.given)
        if found is None:
            return config, None
        label = label_of(model, config)
        if (known := label if label in found.models else model.name) not in found.models:
            return config, None
        try:
            tuned = make_config(model, found.models[known].params)
        except RequestError as error:
            raise RequestError(f"--settings: {error}") from error
        config = make_config(model, found.models[known].params | self.given)
        return config, found.tuning(known) if config == tuned else None


def choose(
    plugins: str | Sequence[str | type[Model]], registry: Registry, settings: tuple[str, ...] = ()
) -> list[Variant]:
    """Return the models that are asked for, in order, each with what is set for it."""
    chosen = [(wanted, *_choose((wanted, own), registry)) for wanted, own in _wanted(plugins, registry)]
    given = split_settings(settings)
    for model_name, _, _ in given:
        if model_name not in {entry.name for _, entry, _ in chosen}:
            registry.get("models", model_name)
            raise RequestError(f"--set {model_name}.…: {model_name!r} is not among the models of this run")
    return [
        Variant(
            entry,
            wanted if isinstance(wanted, str) else entry.name,
            {parameter: value for model_name, parameter, value in given if model_name == entry.name} | own,
        )
        for wanted, entry, own in chosen
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
                    f"class {spec.__qualname__}: define it in an importable file, since runs are separate processes"
                )
            registry.take("models", spec, Origin(spec.__module__, "", spec.__qualname__))
            return registry.get("models", spec.name), settings
        return known[spec], settings
    if ".py:" in spec:
        return load_file(spec, registry), settings
    return registry.get("models", spec), settings


def _spec(entry: Registered, config: Any, training: TrainingProtocol) -> RunSpec:
    model: type[Model] = entry.thing
    if sentence := lacking(model):
        raise RequestError(f"model {sentence}")
    batch_size = getattr(config, "batch_size", BATCH_SIZE)
    if batch_size < 1:
        raise RequestError(f"model {model.name!r}: batch_size={batch_size}: at least 1")
    trained = model.step is not Model.step
    if trained and not Budget.parse(training.budget).admits(images=batch_size, steps=1, seconds=0.0):
        raise RequestError(f"budget {training.budget}: smaller than one batch of {model.name!r} ({batch_size} images)")
    info = ModelInfo(
        name=model.name, label=label_of(model, config), family=model.family, version=model.version,
        source=source_hash(model), conditional=model.conditional, paper=model.paper, sampler=model.sampler(config),
        distribution=f"{entry.origin.distribution} {entry.origin.version}".strip(),
        log_likelihood=model.log_likelihood is not Model.log_likelihood,
    )  # fmt: skip
    return RunSpec(
        model_info=info, import_path=import_path(model, entry.origin), config=config_values(config), training=training,
        seed_index=0, seed=0, resources=dict(model.resources),
    )  # fmt: skip
