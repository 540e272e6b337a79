"""What there is to name, told without importing torch.

Plugins are imported by a child process (``python -m ganbench.registry.catalog``), whose answer is kept until an entry
point, a distribution's version or a source file changes. An answer with something broken in it is not kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import RequestError
from ganbench.extractors.efficientnet import PACKAGE
from ganbench.registry.entry_points import entry_points
from ganbench.util.atomic_io import write_text
from ganbench.util.cache import cache_folder

if TYPE_CHECKING:
    from ganbench.extractors.base import ExtractorSource
    from ganbench.registry.registry import Registered, Registry

SOURCES = (".py", ".toml", ".safetensors")
"""Files that decide the answer, beside those that decide a model's source hash."""

Catalog = dict[str, list[dict[str, Any]]]


def catalog() -> Catalog:
    """Return lists under ``models``, ``datasets``, ``extractors``, ``metrics``, ``engines``, ``tracks`` and ``broken``.

    Every item has ``name``, ``origin`` (in words) and ``entry_point`` (``name = module``; empty for ganbench's own data
    sets, extractors, metrics and tracks). Models also have ``import_path``, ``source`` (their source hash), ``family``,
    ``version``, ``conditional``, ``paper``, ``homepage`` and ``distribution``. ``broken`` has ``origin``,
    ``distribution``, ``version``, ``entry_point``, ``kind``, ``item`` and ``error``.
    """
    path = cache_folder("catalog") / f"{_stamp()}.json"
    try:
        kept = json.loads(path.read_text())
        if all(_status(Path(file)) == status for file, status in kept["files"].items()):
            return kept["catalog"]  # type: ignore[no-any-return]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    # -P and the parent's own path: `-m` alone would take the working folder for a place where plugins are installed.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
    answer = subprocess.run(
        [sys.executable, "-P", "-m", "ganbench.registry.catalog"], capture_output=True, text=True, env=environment
    )
    if answer.returncode or not answer.stdout.strip():
        raise RequestError(
            f"plugins cannot be listed: {(answer.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )
    # A plugin may print when imported: the answer is the last line.
    found = json.loads(answer.stdout.strip().splitlines()[-1])
    if not found["catalog"]["broken"]:
        write_text(path, json.dumps(found))
    return found["catalog"]  # type: ignore[no-any-return]


def known_sources() -> dict[tuple[str, str], str]:
    """Return the source hash of each installed model, by distribution (with version) and name."""
    return {(each["distribution"], each["name"]): each["source"] for each in catalog()["models"] if each["source"]}


def _stamp() -> str:
    """Hash what decides the answer: entry points, versions, and size and time of every source file behind them."""
    digest = hashlib.sha256(sys.version.encode())
    packages = {"ganbench", PACKAGE}  # the extractor's weights may come later
    for point in entry_points()[0]:  # those that GANBENCH_PLUGINS leaves out are skipped
        digest.update(f"{point.name}={point.value} {point.dist.version if point.dist else ''}\n".encode())
        packages.add(point.value.partition(":")[0].partition(".")[0])
    for package in sorted(packages):
        try:
            spec = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            continue
        folders = [Path(place) for place in spec.submodule_search_locations or []]
        files = [file for folder in folders for file in folder.rglob("*") if file.suffix in SOURCES]
        if not folders and spec.origin:
            files = [Path(spec.origin)]
        for file in sorted(files):
            digest.update(f"{file} {_status(file)}\n".encode())
    return digest.hexdigest()[:32]


def _status(file: Path) -> list[int]:
    """Return a file's size and time of change; nothing where it is gone."""
    try:
        status = file.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _describe() -> dict[str, Any]:
    """Return the catalog, and the state of the files that the models' source hashes depend on."""
    from ganbench.registry.builtins import discover

    registry = discover()
    files: dict[str, list[int]] = {}
    answer = {"models": [_model(entry, registry, files) for entry in registry.all("models")]}
    for kind in ("datasets", "extractors"):
        answer[kind] = [{"name": entry.name, "summary": entry.thing.summary} for entry in registry.all(kind)]
    for known, entry in zip(answer["extractors"], registry.all("extractors"), strict=True):
        # Whether the files are there is looked up when it is told: it changes without any source file changing.
        paths = entry.thing.files
        files_of = None if paths is None else list(map(str, paths))
        known |= {"features": _features(entry.thing), "files": files_of, "install": entry.thing.install}
    answer["metrics"] = [
        entry.thing.info.model_dump() | {"needs": list(entry.thing.needs)} for entry in registry.all("metrics")
    ]
    answer["engines"] = [
        {
            "name": entry.name, "summary": entry.thing.summary, "options": dict(entry.thing.options),
            "requires": list(entry.thing.requires), "programs": list(entry.thing.programs),
            "install": entry.thing.install,
        }
        for entry in registry.all("engines")
    ]  # fmt: skip
    answer["tracks"] = [entry.thing.model_dump() for entry in registry.all("tracks")]
    for kind, items in answer.items():
        for item, entry in zip(items, registry.all(kind), strict=True):
            item |= {"origin": str(entry.origin), "entry_point": entry.origin.entry_point}
    answer["broken"] = [
        {
            "origin": str(broken.origin), "distribution": broken.origin.distribution, "version": broken.origin.version,
            "entry_point": broken.origin.entry_point, "kind": broken.kind, "item": broken.item, "error": broken.error,
        }
        for broken in registry.broken
    ]  # fmt: skip
    return {"catalog": answer, "files": files}


def _model(entry: Registered, registry: Registry, files: dict[str, list[int]]) -> dict[str, Any]:
    from ganbench.registry.import_path import import_path
    from ganbench.registry.registry import Broken
    from ganbench.registry.source_hash import source_files, source_hash

    model = entry.thing
    try:
        source = source_hash(model)
        files |= {str(file): _status(file) for file in source_files(model)}
    except RequestError as error:  # an asset is missing
        source = ""
        registry.broken.append(Broken(entry.origin, str(error), "models", entry.name))
    return {
        "name": entry.name, "family": model.family, "version": model.version, "conditional": model.conditional,
        "paper": model.paper, "homepage": model.homepage, "source": source,
        "import_path": import_path(model, entry.origin),
        "distribution": f"{entry.origin.distribution} {entry.origin.version}".strip(),
    }  # fmt: skip


def _features(source: ExtractorSource) -> int:
    """Return the number of features; 0 where that is not known before a file is named."""
    try:
        return source.outputs_of(None).feature_dim
    except Exception:  # a plugin may raise anything, and one that does is no reason to list nothing
        return 0


if __name__ == "__main__":
    print(json.dumps(_describe()))
