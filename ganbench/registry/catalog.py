"""What there is to name, told without importing torch.

Plugins are imported by a child process (``python -m ganbench.registry.catalog``), whose answer is kept until an entry
point, a distribution's version or a source file changes. An answer with a broken plugin in it is not kept.
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
from ganbench.registry.registry import entry_points
from ganbench.util.atomic_io import write_text
from ganbench.util.cache import cache_folder

if TYPE_CHECKING:
    from ganbench.extractors.base import ExtractorSource

SOURCES = (".py", ".toml", ".safetensors")
"""Files that decide the answer."""


def catalog() -> dict[str, list[dict[str, Any]]]:
    """Return lists under ``models``, ``datasets``, ``extractors``, ``metrics``, ``tracks`` and ``broken``."""
    path = cache_folder("catalog") / f"{_stamp()}.json"
    try:
        return json.loads(path.read_text())  # type: ignore[no-any-return]
    except (OSError, ValueError):
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
    found: dict[str, list[dict[str, Any]]] = json.loads(answer.stdout.strip().splitlines()[-1])
    if not found["broken"]:
        write_text(path, json.dumps(found))
    return found


def _stamp() -> str:
    """Hash what decides the answer: entry points, versions, and size and time of every source file behind them."""
    digest = hashlib.sha256(sys.version.encode())
    packages = {"ganbench"}
    for point in entry_points()[0]:  # those that GANBENCH_PLUGINS leaves out are neither asked nor told
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
            status = file.stat()
            digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _describe() -> dict[str, list[dict[str, Any]]]:
    from ganbench.registry.builtins import discover

    registry = discover()
    answer: dict[str, list[dict[str, Any]]] = {"broken": []}
    for broken in registry.broken:
        answer["broken"].append({"origin": str(broken.origin), "error": broken.error})
    answer["models"] = [
        {
            "name": entry.name, "family": entry.thing.family, "role": entry.thing.role, "version": entry.thing.version,
            "conditional": entry.thing.conditional, "paper": entry.thing.paper,
            "distribution": f"{entry.origin.distribution} {entry.origin.version}".strip(), "place": entry.origin.place,
        }
        for entry in registry.all("models")
    ]  # fmt: skip
    for kind in ("datasets", "extractors"):
        answer[kind] = [
            {"name": entry.name, "summary": entry.thing.summary, "origin": str(entry.origin)}
            for entry in registry.all(kind)
        ]
    for known, entry in zip(answer["extractors"], registry.all("extractors"), strict=True):
        # Whether the files are there is looked up when it is told: it changes without any source file changing.
        files = entry.thing.files
        known |= {"features": _features(entry.thing), "files": None if files is None else list(map(str, files))}
    answer["metrics"] = [
        entry.thing.info.model_dump() | {"needs": list(entry.thing.needs), "origin": str(entry.origin)}
        for entry in registry.all("metrics")
    ]
    answer["tracks"] = [entry.thing.model_dump() | {"origin": str(entry.origin)} for entry in registry.all("tracks")]
    return answer


def _features(source: ExtractorSource) -> int:
    """Return the number of features; 0 where that is not known before a file is named."""
    try:
        return source.outputs_of(None).feature_dim
    except Exception:  # a plugin may raise anything, and one that does is no reason to list nothing
        return 0


if __name__ == "__main__":
    print(json.dumps(_describe()))
