"""Everything that a package can add to ganbench, on one screen.

A package names a module under the entry-point group ``ganbench``; the module defines any of these functions,
marked with ``@ganbench.hookimpl``. Each receives a `register` callback and calls it once for each thing it adds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.data.dataset import DataSource
    from ganbench.engine import EngineSource
    from ganbench.extractors.base import ExtractorSource
    from ganbench.metric import Metric
    from ganbench.model import Model

hookspec = pluggy.HookspecMarker("ganbench")
hookimpl = pluggy.HookimplMarker("ganbench")


@hookspec
def ganbench_register_models(register: Callable[[type[Model]], None]) -> None:
    """Register model classes: ``register(MyModel)``."""


@hookspec
def ganbench_register_datasets(register: Callable[[DataSource], None]) -> None:
    """Register data sets: ``register(DataSource(name, load, summary))``; ``at=...`` for all called ``name:...``."""


@hookspec
def ganbench_register_extractors(register: Callable[[ExtractorSource], None]) -> None:
    """Register extractors: ``register(ExtractorSource(name, ...))``."""


@hookspec
def ganbench_register_metrics(register: Callable[[Metric], None]) -> None:
    """Register metrics: ``register(Metric(name=..., needs=..., compute=...))``."""


@hookspec
def ganbench_register_tracks(register: Callable[[Path], None]) -> None:
    """Register tracks: ``register(Path(__file__).with_name("my-track.toml"))``."""


@hookspec
def ganbench_register_engines(register: Callable[[EngineSource], None]) -> None:
    """Register engines, where work is done: ``register(EngineSource(name, summary, factory="module:function"))``."""
