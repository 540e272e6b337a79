"""What requests name, found in a registry: tracks, data sets, metrics."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.metric import Metric
from ganbench.registry.registry import Registry
from ganbench.tracks.track import Track, read_track


def find_track(name: str, registry: Registry) -> Track:
    """Return a registered track, or the one in a ``.toml`` file."""
    if name.endswith(".toml"):
        return read_track(Path(name))
    return registry.get("tracks", name).thing  # type: ignore[no-any-return]


def load_dataset(name: str, registry: Registry, data_dir: Path | None) -> Dataset:
    """Load a data set and check its content against the hash it is known by."""
    source = registry.get("datasets", name).thing
    dataset: Dataset = source.load(data_dir)
    if source.sha256 and dataset.sha256 != source.sha256:
        raise RequestError(
            f"data set {name!r}: its content has the hash {dataset.sha256[:12]}, not {source.sha256[:12]}: damaged"
        )
    return dataset


def find_metrics(names: Iterable[str], registry: Registry) -> list[Metric]:
    """Return registered metrics by their names."""
    return [registry.get("metrics", name).thing for name in names]


def read_metrics(asked: str, track: Track, registry: Registry) -> tuple[str, ...]:
    """Read ``--metrics``: names, of which ``standard`` stands for the track's own and ``all`` for all there are."""
    names = dict[str, None]()
    for name in (part.strip() for part in asked.split(",")):
        if name == "standard":
            names |= dict.fromkeys(track.metrics)
        elif name == "all":
            names |= dict.fromkeys(entry.name for entry in registry.all("metrics"))
        elif not name:
            raise RequestError(f"--metrics {asked!r}: an empty name: `ganbench metrics` lists what there is")
        else:
            names[registry.get("metrics", name).name] = None
    return tuple(names)
