"""ganbench: given the same data and the same budget, which generative model is better, by how much, how surely?

Names are loaded when first used, so that the command line answers without importing torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ganbench.errors import RequestError
from ganbench.registry.hookspecs import hookimpl

__version__ = "0.2.0"

_HOMES = {
    "Model": "ganbench.model",
    "DataSpec": "ganbench.model",
    "Batch": "ganbench.model",
    "Choice": "ganbench.search_space",
    "LogUniform": "ganbench.search_space",
    "Uniform": "ganbench.search_space",
    "RunRecord": "ganbench.store.run_record",
    "Metric": "ganbench.metric",
    "EngineSource": "ganbench.engine",
    "EngineRequest": "ganbench.engine",
    "Task": "ganbench.engine",
    "Event": "ganbench.engine",
    "Ended": "ganbench.engine",
    "Score": "ganbench.metric",
    "MetricContext": "ganbench.scoring.metric_context",
    "DataSource": "ganbench.data.dataset",
    "Dataset": "ganbench.data.dataset",
    "Split": "ganbench.data.dataset",
    "Modes": "ganbench.data.dataset",
    "make_dataset": "ganbench.data.dataset",
    "stratified_split": "ganbench.data.dataset",
    "ExtractorSource": "ganbench.extractors.base",
    "Extractor": "ganbench.extractors.base",
    "Features": "ganbench.extractors.base",
    "Outputs": "ganbench.extractors.base",
    "classifier_source": "ganbench.extractors.classifier_file",
    "Track": "ganbench.tracks.track",
    "Scorer": "ganbench.scoring.scorer",
    "run": "ganbench.api",
    "reproduce": "ganbench.api",
    "evaluate": "ganbench.api",
    "leaderboard": "ganbench.api",
    "compare": "ganbench.api",
    "score": "ganbench.api",
    "load": "ganbench.api",
    "tune": "ganbench.api",
}

__all__ = [
    "Batch", "Choice", "DataSource", "DataSpec", "Dataset", "Ended", "EngineRequest", "EngineSource", "Event",
    "Extractor", "ExtractorSource", "Features", "LogUniform", "Metric", "MetricContext", "Model", "Modes",
    "Outputs", "RequestError", "RunRecord", "Score", "Scorer", "Split", "Task", "Track", "Uniform",
    "classifier_source", "compare", "evaluate", "hookimpl", "leaderboard", "load", "make_dataset", "reproduce",
    "run", "score", "stratified_split", "tune",
]  # fmt: skip

if TYPE_CHECKING:
    from ganbench.api import compare, evaluate, leaderboard, load, reproduce, run, score, tune
    from ganbench.data.dataset import Dataset, DataSource, Modes, Split, make_dataset, stratified_split
    from ganbench.engine import Ended, EngineRequest, EngineSource, Event, Task
    from ganbench.extractors.base import Extractor, ExtractorSource, Features, Outputs
    from ganbench.extractors.classifier_file import classifier_source
    from ganbench.metric import Metric, Score
    from ganbench.model import Batch, DataSpec, Model
    from ganbench.scoring.metric_context import MetricContext
    from ganbench.scoring.scorer import Scorer
    from ganbench.search_space import Choice, LogUniform, Uniform
    from ganbench.store.run_record import RunRecord
    from ganbench.tracks.track import Track


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ganbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
