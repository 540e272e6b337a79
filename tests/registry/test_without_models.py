"""A registry without models: what brings nothing else is not imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.registry import Broken
from ganbench.registry.without_models import discover_without_models

METRIC = """
import ganbench

@ganbench.hookimpl
def ganbench_register_metrics(register):
    register(ganbench.Metric(
        name="mine", title="Mine", direction="lower", low=0, high=255, digits=1, version=1, meaning="none",
        source="a test", needs=(), compute=lambda context: 0.0,
    ))
"""
MODEL = """
import ganbench

class Mine(ganbench.Model):
    name, family = "mine", "gan"
    def sample(self, n, labels=None): ...
    def step(self, batch): ...

@ganbench.hookimpl
def ganbench_register_models(register):
    register(Mine)
"""


def test_models_are_left_alone_and_what_is_broken_is_told(
    distribution: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    metric, model = distribution("a-metric", METRIC), distribution("a-model", MODEL)
    broken = distribution("a-broken-one", "raise RuntimeError('no')")
    told: list[Broken] = []
    registry = discover_without_models(told.append)
    assert registry.get("metrics", "mine").origin.distribution == "a-metric"
    assert registry.has("tracks", "mnist5k-quick")
    assert not registry.all("models")
    assert metric in sys.modules
    assert not {model, broken} & set(sys.modules)
    assert [(each.origin.distribution, each.error) for each in told] == [("a-broken-one", "RuntimeError: no")]
    with pytest.raises(RequestError, match="its plugin a-broken-one .* is broken: RuntimeError: no"):
        registry.get("metrics", "a-broken-one")
