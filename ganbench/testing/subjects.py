"""What a name or a path stands for: one thing that plugins register, or all that a package registers."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from ganbench.errors import RequestError, did_you_mean
from ganbench.extractors.classifier_file import SUFFIX, classifier_source
from ganbench.registry.builtins import built_in, discover
from ganbench.registry.entry_points import GROUP, Origin, entry_point_text, entry_points
from ganbench.registry.import_path import load_file
from ganbench.registry.item_checks import KINDS
from ganbench.registry.registry import Broken, Registry, load_entry_point
from ganbench.testing.check import Check
from ganbench.util.text import error_line

KIND_OF = {"model": "models", "dataset": "datasets", "extractor": "extractors", "metric": "metrics", "track": "tracks"}
"""What ``--kind`` calls the keys of `KINDS` that there are rules for: engines have none."""


@dataclass(frozen=True)
class Subject:
    """A thing to be checked: its kind (a key of `KINDS`), its name, and the registry that it was found in."""

    kind: str
    name: str
    thing: Any
    registry: Registry

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.name}"

    def suite(self) -> tuple[tuple[Check[Any], ...], Any]:
        """Return the checks of its kind, and what they look at."""
        from ganbench.testing import checks, dataset_checks, extractor_checks, metric_checks, track_checks

        if self.kind == "models":
            return checks.CHECKS, checks.model_case(self.thing)
        if self.kind == "metrics":
            return metric_checks.METRIC_CHECKS, metric_checks.MetricCase(self.thing)
        if self.kind == "datasets":
            return dataset_checks.DATASET_CHECKS, dataset_checks.DatasetCase(self.thing)
        if self.kind == "extractors":
            return extractor_checks.EXTRACTOR_CHECKS, extractor_checks.ExtractorCase(self.thing)
        return track_checks.TRACK_CHECKS, track_checks.TrackCase(self.thing, self.registry)


@dataclass(frozen=True)
class Found:
    """The subjects that one word of a request stands for, and what of its package is broken."""

    subjects: list[Subject]
    broken: Sequence[Broken] = ()


def find(spec: str, kind: str | None = None) -> Found:
    """Return what a name, ``file.py:NAME``, ``track.toml``, ``extractor.safetensors`` or a package's folder stands for.

    `kind` is a key of `KIND_OF`, for a name that several kinds have. Raises `RequestError` where nothing is called so.
    """
    if not spec.strip():
        raise RequestError("an empty name: name a model, data set, extractor, metric, track, file or folder")
    if ".py:" in spec:
        return Found([_in_file(spec)])
    if spec.endswith(".py"):
        raise RequestError(f"{spec}: say which class or object of the file: {spec}:NAME")
    if spec.endswith(".toml"):
        return Found([Subject("tracks", Path(spec).stem, _existing(spec), discover())])
    if spec.endswith(SUFFIX):
        source = classifier_source(Path(spec).stem, _existing(spec))
        return Found([Subject("extractors", source.name, source, built_in())])
    if Path(spec).is_dir():
        return _of_package(Path(spec).resolve())
    return Found([_by_name(spec, kind)])


def _existing(spec: str) -> Path:
    if not Path(spec).is_file():
        raise RequestError(f"{spec}: there is no such file")
    return Path(spec)


def _by_name(name: str, kind: str | None) -> Subject:
    registry = discover()
    kinds = list(KIND_OF.values()) if kind is None else [KIND_OF[kind]]
    there = [each for each in kinds if registry.has(each, name)]
    if len(there) > 1:
        words = [word for word, each in KIND_OF.items() if each in there]
        raise RequestError(f"{name!r} is a {' and a '.join(words)}: say which with --kind {words[0]}")
    if not there:  # of what is broken the registry says why
        there = [each.kind for each in registry.broken if each.item == name and each.kind in kinds]
    if not there and kind is None:
        known = [entry.name for each in kinds for entry in registry.all(each)]
        raise RequestError(f"nothing is called {name!r}, and there is no such folder{_near(name, known)}")
    there = there or kinds
    entry = registry.get(there[0], name)
    return Subject(there[0], name, entry.thing, registry)


def _near(name: str, known: list[str]) -> str:
    near = did_you_mean(name, known)
    lists = "`ganbench plugins`, `datasets`, `extractors`, `metrics` and `tracks` list names"
    return near if "did you mean" in near else f": {lists}"


def _in_file(spec: str) -> Subject:
    """Return the class or object of a file: what it is says of which kind it is."""
    from ganbench.data.dataset import DataSource
    from ganbench.extractors.base import ExtractorSource
    from ganbench.metric import Metric
    from ganbench.registry.import_path import module_of_file

    registry = discover()
    place, _, name = spec.rpartition(":")
    thing = getattr(module_of_file(_existing(place).resolve()), name, None)
    for kind, wanted in (("metrics", Metric), ("datasets", DataSource), ("extractors", ExtractorSource)):
        if isinstance(thing, wanted):
            return Subject(kind, thing.name, thing, registry)
    known = getattr(thing, "name", None)
    if isinstance(known, str) and registry.has("models", known):  # the file is looked at, whatever is installed
        registry = _without(registry.get("models", known).origin.distribution)
    entry = load_file(spec, registry)
    return Subject("models", entry.name, entry.thing, registry)


def _of_package(folder: Path) -> Found:
    """Return everything that the entry points in a folder's ``pyproject.toml`` register."""
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text()).get("project", {})
        points = dict(project.get("entry-points", {}).get(GROUP, {}))
    except OSError as error:
        advice = "name a package's folder, or FILE.py:CLASS"
        raise RequestError(f"{path}: cannot be read ({error.strerror}): {advice}") from error
    except (ValueError, AttributeError) as error:
        raise RequestError(f"{path}: not a valid pyproject.toml ({error_line(error)})") from error
    if not points:
        raise RequestError(f"{path}: has no entry points in the group {GROUP!r}: add [project.entry-points.{GROUP}]")
    name, version = str(project.get("name", folder.name)), str(project.get("version", ""))
    for place in (folder / "src", folder):
        if place.is_dir() and str(place) not in sys.path:
            sys.path.insert(0, str(place))
    importlib.invalidate_caches()
    registry = _without(name)
    broken, mine = list[Broken](), list[Origin]()
    for key, value in points.items():
        point = EntryPoint(key, value, GROUP)
        origin = Origin(name, version, entry_point_text(point))
        mine.append(origin)
        try:
            module = point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # it may even call sys.exit
            broken.append(Broken(origin, error_line(error)))
            continue
        broken += registry.add_plugin(module, origin)
    subjects = [
        Subject(kind, entry.name, entry.thing, registry)
        for kind in KIND_OF.values()
        for entry in registry.all(kind)
        if entry.origin in mine
    ]
    if not subjects and not broken:
        raise RequestError(f"{path}: its entry points register nothing: define ganbench_register_models, for one")
    return Found(subjects, broken)


def _without(distribution: str) -> Registry:
    """Return what is installed but for one distribution, whose folder is looked at instead."""
    registry = built_in()
    for point in entry_points()[0]:
        if point.dist is None or point.dist.name.lower().replace("_", "-") != distribution.lower().replace("_", "-"):
            load_entry_point(registry, point)
    return registry
