"""The source hash of every installed model: what a record that names its distribution is compared with."""

from __future__ import annotations

from ganbench.registry.registry import Registry
from ganbench.registry.source_hash import source_hash


def known_sources(registry: Registry) -> dict[tuple[str, str], str]:
    """Return source hashes by distribution (with version) and model name; of files, which have no version, none."""
    return {
        (f"{entry.origin.distribution} {entry.origin.version}", entry.name): source_hash(entry.thing)
        for entry in registry.all("models")
        if entry.origin.version
    }
